/* SPDX-License-Identifier: MIT */
/* Which snapshot a text means. */
#include "model/document.h"
#include "policy/scope.h"
#include "store_samples.h"
#include <backuptool/select.h>
#include <internal/policy.h>

#define NOW ((int64_t)1795000000) /* 2026-11-18T11:06:40Z */

static void seal(const struct sample *sample, const struct bt_snapshot_info *info, const char *name)
{
	struct bt_buf header = {0}, summary = {0};
	struct bt_writer *writer;

	assert_int_equal(bt_header_write(&header, info), 0);
	assert_int_equal(bt_summary_write(&summary, info), 0);
	assert_int_equal(bt_writer_new(sample_upload(sample->dirfd), &header, &writer, NULL), 0);
	assert_int_equal(bt_writer_seal(writer, &summary, name, NULL), 0);
	bt_writer_free(writer);
	bt_buf_free(&header);
	bt_buf_free(&summary);
}

/* "2026-11-20T10-00-00Z" of a host and directory; misnamed: with the time of another one inside. */
static void add(const struct sample *sample, const char *time, const char *host, const char *target, bool misnamed)
{
	struct bt_snapshot_info info = {.host = host, .target = target, .directories = 1};
	char name[80];
	unsigned clash;

	info.root = (struct bt_entry){.name = "", .type = BT_DIR, .mode = 0755, .has_digest = true};
	snprintf(name, sizeof(name), "snapshot_%s.json", time);
	assert_int_equal(bt_snapshot_name_parse(name, &info.time.seconds, &clash), 0);
	info.time.seconds -= misnamed;
	seal(sample, &info, name);
}

static struct bt_store *open_store(const struct sample *sample)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = true};
	struct bt_store *store;

	assert_int_equal(bt_store_open(sample->path, &options, &store, NULL), 0);
	return store;
}

static struct bt_choice chosen(struct bt_store *store, const char *text, const struct bt_scope *scope, const char *time)
{
	struct bt_choice choice = {.size = sizeof(choice)};
	struct bt_error error = {0};
	char name[80];

	assert_int_equal(bt_select(store, text, scope, &choice, &error), 0);
	snprintf(name, sizeof(name), "snapshot_%s.json", time);
	assert_string_equal(choice.name, name);
	return choice;
}

static void refused(struct bt_store *store, const char *text, const struct bt_scope *scope, enum bt_code code,
		    const char *mentions)
{
	struct bt_error error = {0};
	struct bt_choice choice = {.size = sizeof(choice)};

	assert_int_equal(bt_select(store, text, scope, &choice, &error), code);
	assert_non_null(strstr(error.detail, mentions));
}

static void test_names_and_times(void **state)
{
	const struct bt_scope scope = {.size = sizeof(scope), .now = INT64_MAX};
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample);

	refused(store, "latest", &scope, BT_E_NOT_FOUND, "has none");
	refused(store, "2026", &scope, BT_E_NOT_FOUND, "has none");
	add(&sample, "2026-11-20T10-00-00Z", "h", "/d", false);
	add(&sample, "2026-11-20T10-00-00Z-1", "h", "/d", false);
	add(&sample, "2026-11-22T10-00-00Z", "h", "/d", false);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	chosen(store, "latest", &scope, "2026-11-22T10-00-00Z");
	chosen(store, "latest~0", &scope, "2026-11-22T10-00-00Z");
	chosen(store, "latest~1", &scope, "2026-11-20T10-00-00Z-1");
	chosen(store, "latest~2", &scope, "2026-11-20T10-00-00Z");
	refused(store, "latest~3", &scope, BT_E_NOT_FOUND, "oldest is snapshot_2026-11-20T10-00-00Z.json");
	refused(store, "latest~", &scope, BT_E_INVALID, "number");
	refused(store, "latest~x", &scope, BT_E_INVALID, "number");
	refused(store, "latest~99999999999999999999999", &scope, BT_E_INVALID, "number");
	chosen(store, "snapshot_2026-11-20T10-00-00Z.json", &scope, "2026-11-20T10-00-00Z");
	chosen(store, "snapshot_2026-11-20T10-00-00Z", &scope, "2026-11-20T10-00-00Z");
	chosen(store, "2026-11-20T10-00-00Z", &scope, "2026-11-20T10-00-00Z");
	chosen(store, "2026-11-20T10-00-00Z-1", &scope, "2026-11-20T10-00-00Z-1");
	chosen(store, "2026-11-22", &scope, "2026-11-22T10-00-00Z");
	chosen(store, "snapshot_2026-11-22", &scope, "2026-11-22T10-00-00Z");
	refused(store, "2026-11-20", &scope, BT_E_INVALID, "snapshot_2026-11-20T10-00-00Z-1.json");
	refused(store, "2026-11-21", &scope, BT_E_NOT_FOUND, "snapshot_2026-11-22T10-00-00Z.json");
	refused(store, "zebra", &scope, BT_E_NOT_FOUND, "snapshot_2026-11-22T10-00-00Z.json");
	refused(store, "", &scope, BT_E_NOT_FOUND, "");
	chosen(store, "@2026-11-21T00:00:00Z", &scope, "2026-11-20T10-00-00Z-1");
	chosen(store, "@2026-11-22T10:00:00Z", &scope, "2026-11-22T10-00-00Z");
	refused(store, "@2026-11-20T09:59:59Z", &scope, BT_E_NOT_FOUND, "snapshot_2026-11-20T10-00-00Z.json");
	refused(store, "@never", &scope, BT_E_INVALID, "time");
	bt_store_close(store);
	sample_free(&sample);
}

static void add_partial(const struct sample *sample, const char *time)
{
	struct bt_snapshot_info info = {.host = "h", .target = "/d", .directories = 1, .partial = true};
	char name[80];
	unsigned clash;

	info.root = (struct bt_entry){.name = "", .type = BT_DIR, .mode = 0755, .has_digest = true};
	snprintf(name, sizeof(name), "snapshot_%s.json", time);
	assert_int_equal(bt_snapshot_name_parse(name, &info.time.seconds, &clash), 0);
	seal(sample, &info, name);
}

/* They are meant where there is nothing else, and by their names. */
static void test_partial_ones(void **state)
{
	const struct bt_scope scope = {.size = sizeof(scope), .now = INT64_MAX};
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample);

	add_partial(&sample, "2026-11-20T10-00-00Z");
	add_partial(&sample, "2026-11-21T10-00-00Z");
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_true(chosen(store, "latest", &scope, "2026-11-21T10-00-00Z").partial);
	assert_true(chosen(store, "latest~1", &scope, "2026-11-20T10-00-00Z").partial);
	assert_true(chosen(store, "@2026-11-20T12:00:00Z", &scope, "2026-11-20T10-00-00Z").partial);
	add(&sample, "2026-11-22T10-00-00Z", "h", "/d", false);
	add_partial(&sample, "2026-11-23T10-00-00Z");
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_false(chosen(store, "latest", &scope, "2026-11-22T10-00-00Z").partial);
	assert_false(chosen(store, "@2026-11-24T12:00:00Z", &scope, "2026-11-22T10-00-00Z").partial);
	assert_true(chosen(store, "@2026-11-21T12:00:00Z", &scope, "2026-11-21T10-00-00Z").partial);
	refused(store, "latest~1", &scope, BT_E_NOT_FOUND, "oldest is snapshot_2026-11-22T10-00-00Z.json");
	assert_true(chosen(store, "2026-11-23", &scope, "2026-11-23T10-00-00Z").partial);
	assert_false(chosen(store, "2026-11-22", &scope, "2026-11-22T10-00-00Z").partial);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_relative_texts(void **state)
{
	assert_true(bt_select_is_relative("latest", NOW));
	assert_true(bt_select_is_relative("latest~12", NOW));
	assert_true(bt_select_is_relative("@yesterday", NOW));
	assert_false(bt_select_is_relative("latest~", NOW));
	assert_false(bt_select_is_relative("latestx", NOW));
	assert_false(bt_select_is_relative("@never", NOW));
	assert_false(bt_select_is_relative("2026", NOW));
}

/* Of two groups that alternate, each is followed by itself. */
static void test_one_group(void **state)
{
	const struct bt_scope nothing = {.size = sizeof(nothing), .now = INT64_MAX};
	const struct bt_scope in_b = {.size = sizeof(in_b), .now = INT64_MAX, .host = "h", .directory = "/b/deep"};
	struct sample sample = sample_new();

	add(&sample, "2026-01-01T00-00-00Z", "h", "/a", false);
	add(&sample, "2026-01-02T00-00-00Z", "h", "/b", false);
	add(&sample, "2026-01-03T00-00-00Z", "h", "/a", false);
	add(&sample, "2026-01-04T00-00-00Z", "h", "/b", false);
	add(&sample, "2026-01-05T00-00-00Z", "h", "/a", false);
	struct bt_store *store = open_store(&sample);
	chosen(store, "latest~1", &nothing, "2026-01-03T00-00-00Z");
	chosen(store, "latest", &in_b, "2026-01-04T00-00-00Z");
	chosen(store, "latest~1", &in_b, "2026-01-02T00-00-00Z");
	chosen(store, "@2026-01-03", &in_b, "2026-01-02T00-00-00Z");
	refused(store, "latest~2", &in_b, BT_E_NOT_FOUND, "oldest is snapshot_2026-01-02");
	refused(store, "@2026-01-01", &in_b, BT_E_NOT_FOUND, "oldest is snapshot_2026-01-02");
	struct bt_group *groups;
	size_t count;
	assert_int_equal(bt_groups_list(store, NULL, &groups, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(groups[0].target, "/a");
	assert_int_equal(groups[0].snapshots, 3);
	assert_int_equal(groups[1].snapshots, 2);
	bt_groups_free(groups, count);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_scopes(void **state)
{
	const char *const etc = "/etc/passwd", *const both[] = {"/data/u/x", "/etc/passwd"}, *const none = "/opt";
	struct sample sample = sample_new();

	add(&sample, "2026-01-01T00-00-00Z", "here", "/", false);
	add(&sample, "2026-01-02T00-00-00Z", "here", "/data/u", false);
	add(&sample, "2026-01-03T00-00-00Z", "here", "/srv", false);
	add(&sample, "2026-01-04T00-00-00Z", "there", "/data/u", false);
	add(&sample, "2026-01-05T00-00-00Z", "there", "/var", false);
	struct bt_store *store = open_store(&sample);
	struct bt_scope scope = {.size = sizeof(scope), .now = NOW, .host = "here", .directory = "/data/u/docs"};
	/* the working directory, on this host; the newest of those that hold it */
	assert_false(chosen(store, "latest", &scope, "2026-01-02T00-00-00Z").unsure);
	scope.directory = "/datax";
	assert_false(chosen(store, "latest", &scope, "2026-01-01T00-00-00Z").unsure);
	/* the output directory goes before it, also that of another host, which is said */
	scope.output = "/srv";
	assert_false(chosen(store, "latest", &scope, "2026-01-03T00-00-00Z").unsure);
	scope.output = "/data/u";
	assert_false(chosen(store, "latest", &scope, "2026-01-02T00-00-00Z").unsure);
	scope.output = "/var";
	assert_true(chosen(store, "latest", &scope, "2026-01-05T00-00-00Z").unsure);
	/* and paths before both */
	scope.output = "/srv";
	scope.paths = &etc;
	scope.path_count = 1;
	assert_false(chosen(store, "latest", &scope, "2026-01-01T00-00-00Z").unsure);
	scope.paths = both;
	scope.path_count = 2;
	assert_false(chosen(store, "latest", &scope, "2026-01-01T00-00-00Z").unsure);
	scope.path_count = 1;
	assert_false(chosen(store, "latest", &scope, "2026-01-02T00-00-00Z").unsure);
	scope.host = "third";
	assert_true(chosen(store, "latest", &scope, "2026-01-04T00-00-00Z").unsure);
	scope = (struct bt_scope){.size = sizeof(struct bt_scope), .now = NOW, .host = "third", .directory = "/data/u"};
	assert_true(chosen(store, "latest", &scope, "2026-01-05T00-00-00Z").unsure);
	assert_true(chosen(store, "@2026-02-01", &scope, "2026-01-05T00-00-00Z").unsure);
	assert_false(chosen(store, "2026-01-05", &scope, "2026-01-05T00-00-00Z").unsure);
	scope = (struct bt_scope){
		.size = sizeof(struct bt_scope), .now = NOW, .host = "third", .paths = &none, .path_count = 1};
	chosen(store, "latest", &scope, "2026-01-01T00-00-00Z");
	bt_store_close(store);
	sample_free(&sample);
}

/* Only what the filter selects is there. */
static void test_filters(void **state)
{
	const char *const here = "here", *const there[] = {"there", "beyond"}, *const srv = "/srv";
	struct bt_filter filter = {.size = sizeof(filter), .hosts = &here, .host_count = 1};
	struct bt_scope scope = {.size = sizeof(scope), .now = NOW, .directory = "/", .filter = &filter};
	struct sample sample = sample_new();
	struct bt_group *groups;
	size_t count;

	add(&sample, "2026-01-01T00-00-00Z", "here", "/srv", false);
	add(&sample, "2026-01-02T00-00-00Z", "there", "/srv", false);
	add(&sample, "2026-01-03T00-00-00Z", "here", "/srv", false);
	add(&sample, "2026-01-04T00-00-00Z", "there", "/var", false);
	struct bt_store *store = open_store(&sample);
	assert_false(chosen(store, "latest", &scope, "2026-01-03T00-00-00Z").unsure);
	chosen(store, "latest~1", &scope, "2026-01-01T00-00-00Z");
	chosen(store, "@2026-01-02", &scope, "2026-01-01T00-00-00Z");
	refused(store, "latest~2", &scope, BT_E_NOT_FOUND, "oldest is snapshot_2026-01-01");
	refused(store, "2026-01-02T00-00-00Z", &scope, BT_E_NOT_FOUND, "left out");
	refused(store, "2026-01-04", &scope, BT_E_NOT_FOUND, "left out");
	refused(store, "2026-01", &scope, BT_E_INVALID, "names of 2 snapshots");
	refused(store, "2026-01-04T1", &scope, BT_E_NOT_FOUND, "nearest is snapshot_2026-01-03");
	filter.hosts = there;
	filter.host_count = 2;
	assert_true(chosen(store, "latest", &scope, "2026-01-04T00-00-00Z").unsure);
	filter.targets = &srv;
	filter.target_count = 1;
	assert_false(chosen(store, "latest", &scope, "2026-01-02T00-00-00Z").unsure);
	chosen(store, "2026", &scope, "2026-01-02T00-00-00Z");
	assert_int_equal(bt_groups_list(store, &filter, &groups, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(groups[0].host, "there");
	bt_groups_free(groups, count);
	filter.tags = &srv;
	filter.tag_count = 1;
	refused(store, "latest", &scope, BT_E_NOT_FOUND, "none");
	bt_store_close(store);
	sample_free(&sample);
}

static void test_filter_of_tags(void **state)
{
	const char *const tags[] = {"a", "b"}, *const wanted[] = {"b", "c"};
	const struct bt_snapshot_info info = {.host = "h", .target = "/t", .tags = tags, .tag_count = 2};
	struct bt_filter filter = {.size = sizeof(filter), .tags = wanted, .tag_count = 2};

	assert_true(bt_filter_selects(NULL, &info));
	assert_true(bt_filter_selects(&filter, &info));
	filter.tags = wanted + 1;
	filter.tag_count = 1;
	assert_false(bt_filter_selects(&filter, &info));
	filter.size = 0; /* of no program that we know */
	assert_false(bt_filter_selects(&filter, &info));
}

/* Without a host all hosts are alike. */
static void test_all_hosts_alike(void **state)
{
	const char *const path = "/srv/x";
	struct bt_scope scope = {.size = sizeof(scope), .now = NOW, .host = "here", .paths = &path, .path_count = 1};
	struct sample sample = sample_new();

	add(&sample, "2026-01-01T00-00-00Z", "here", "/srv", false);
	add(&sample, "2026-01-02T00-00-00Z", "there", "/srv", false);
	add(&sample, "2026-01-03T00-00-00Z", "there", "/var", false);
	struct bt_store *store = open_store(&sample);
	chosen(store, "latest", &scope, "2026-01-01T00-00-00Z");
	scope.host = NULL;
	assert_false(chosen(store, "latest", &scope, "2026-01-02T00-00-00Z").unsure);
	scope.path_count = 0;
	scope.directory = "/srv/y";
	assert_false(chosen(store, "latest", &scope, "2026-01-02T00-00-00Z").unsure);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_one_directory_is_meant(void **state)
{
	const struct bt_scope scope = {
		.size = sizeof(scope), .now = NOW, .host = "third", .directory = "/tmp", .output = "/x"};
	struct sample sample = sample_new();

	add(&sample, "2026-01-01T00-00-00Z", "h", "/a", false);
	add(&sample, "2026-01-02T00-00-00Z", "h", "/a", false);
	struct bt_store *store = open_store(&sample);
	assert_false(chosen(store, "latest", &scope, "2026-01-02T00-00-00Z").unsure);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_the_future(void **state)
{
	const struct bt_scope scope = {.size = sizeof(scope), .now = NOW}, early = {.size = sizeof(early), .now = 0};
	struct sample sample = sample_new();

	add(&sample, "2026-01-01T00-00-00Z", "h", "/a", false);
	add(&sample, "2026-01-02T00-00-00Z", "h", "/a", false);
	add(&sample, "2098-01-01T00-00-00Z", "h", "/a", false);
	add(&sample, "2099-01-01T00-00-00Z", "h", "/a", false);
	add(&sample, "2099-02-01T00-00-00Z", "h", "/b", false);
	struct bt_store *store = open_store(&sample);
	struct bt_choice choice = chosen(store, "latest", &scope, "2026-01-02T00-00-00Z");
	assert_false(choice.future);
	assert_int_equal(choice.later, 2);
	assert_string_equal(choice.latest, "snapshot_2099-01-01T00-00-00Z.json");
	chosen(store, "latest~1", &scope, "2026-01-01T00-00-00Z");
	refused(store, "latest~2", &scope, BT_E_NOT_FOUND, "oldest is snapshot_2026-01-01");
	chosen(store, "@2098-06-01", &scope, "2026-01-02T00-00-00Z");
	assert_true(chosen(store, "2098", &scope, "2098-01-01T00-00-00Z").future);
	/* they are as good as others where there is nothing else */
	choice = chosen(store, "latest", &early, "2099-02-01T00-00-00Z");
	assert_true(choice.future);
	assert_int_equal(choice.later, 0);
	const struct bt_scope in_b = {.size = sizeof(in_b), .now = NOW, .host = "h", .directory = "/b"};
	assert_true(chosen(store, "latest", &in_b, "2099-02-01T00-00-00Z").future);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_what_cannot_be_read_is_passed_over(void **state)
{
	const struct bt_scope scope = {.size = sizeof(scope), .now = NOW};
	struct sample sample = sample_new();

	add(&sample, "2026-01-01T00-00-00Z", "h", "/a", true);
	sample_write(sample.dirfd, "snapshot_2026-01-03T00-00-00Z.json", "x", 1);
	struct bt_store *store = open_store(&sample);
	struct bt_choice choice = {.size = sizeof(choice)};
	struct bt_error error = {0};
	assert_int_equal(bt_select(store, "latest", &scope, &choice, &error), BT_E_DAMAGED);
	assert_string_equal(error.file, "snapshot_2026-01-03T00-00-00Z.json");
	add(&sample, "2026-01-02T00-00-00Z", "h", "/a", false);
	add(&sample, "2026-01-04T00-00-00Z", "h", "/a", true);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	choice = chosen(store, "latest", &scope, "2026-01-02T00-00-00Z");
	assert_int_equal(choice.unread, 2);
	assert_int_equal(choice.unread_error.reason, BT_R_BAD_NAME);
	bt_store_close(store);
	sample_free(&sample);
}

static bool is_no_second(void *arg, const char *name)
{
	++*(int *)arg;
	return !strstr(name, "01-02");
}

static void test_only_what_is_wanted(void **state)
{
	int asked = 0;
	const struct bt_scope scope = {.size = sizeof(scope), .now = NOW, .wanted = is_no_second, .arg = &asked};
	struct sample sample = sample_new();

	add(&sample, "2026-01-01T00-00-00Z", "h", "/a", false);
	add(&sample, "2026-01-02T00-00-00Z", "h", "/a", false);
	struct bt_store *store = open_store(&sample);
	chosen(store, "latest", &scope, "2026-01-01T00-00-00Z");
	assert_true(asked > 0);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_ranks(void **state)
{
	static const struct {
		const char *target, *path;
		bool covers;
	} cases[] = {{"/", "/etc", true},	   {"/etc", "/etc", true},    {"/etc/", "/etc/x", true},
		     {"/etc", "/etcetera", false}, {"/etc/x", "/etc", false}, {"", "/etc", false},
		     {"etc", "/etc", false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(bt_scope_covers(cases[i].target, cases[i].path), cases[i].covers);
	const struct bt_scope scope = {.size = sizeof(scope), .host = "h", .output = "/o", .directory = "/w/x"};
	assert_int_equal(bt_scope_best(&scope), BT_RANK_SAME);
	assert_int_equal(bt_scope_rank(&scope, "h", "/o"), BT_RANK_SAME);
	assert_int_equal(bt_scope_rank(&scope, "g", "/o"), BT_RANK_ELSEWHERE);
	assert_int_equal(bt_scope_rank(&scope, "h", "/w"), BT_RANK_AROUND);
	assert_int_equal(bt_scope_rank(&scope, "g", "/w"), BT_RANK_ANY);
	assert_int_equal(bt_scope_rank(&scope, "h", "/o/below"), BT_RANK_ANY);
	assert_int_equal(bt_scope_best(&(struct bt_scope){.size = sizeof(struct bt_scope)}), BT_RANK_ANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_times),
		cmocka_unit_test(test_partial_ones),
		cmocka_unit_test(test_relative_texts),
		cmocka_unit_test(test_one_group),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_filter_of_tags),
		cmocka_unit_test(test_all_hosts_alike),
		cmocka_unit_test(test_one_directory_is_meant),
		cmocka_unit_test(test_the_future),
		cmocka_unit_test(test_what_cannot_be_read_is_passed_over),
		cmocka_unit_test(test_only_what_is_wanted),
		cmocka_unit_test(test_ranks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
