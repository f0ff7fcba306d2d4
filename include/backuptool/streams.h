/* SPDX-License-Identifier: MIT */
/* The streams that a program is started with. */
#ifndef BACKUPTOOL_STREAMS_H
#define BACKUPTOOL_STREAMS_H

/* Called first of all, before any file is opened: standard input, output and error that are closed are held by what
 * can be neither read nor written. So no file of a store gets their numbers, and with them what is printed. */
void bt_hold_streams(void);

#endif
