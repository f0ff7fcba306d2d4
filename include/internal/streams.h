/* SPDX-License-Identifier: MIT */
/* The streams that a program is started with. */
#ifndef INTERNAL_STREAMS_H
#define INTERNAL_STREAMS_H

/* Call this first of all, before any file is opened: if standard input, output or error is closed, its number is taken
 * by something that can be neither read nor written. So no file of a store gets that number, and with it the output. */
void bt_hold_streams(void);

#endif
