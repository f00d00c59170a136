// What a thread asks of the kernel's scheduler.
#pragma once

namespace aoe::os {

// Asks for the shortest time slices (100 us) for this thread and for those that it will make, the
// kernel's own for io_uring included. Its share of the processors stays what it was; but when it
// wakes up it runs at once, where it would wait for the slice of another program to end: up to a
// tick of the kernel's clock, 1 to 10 ms, for every sleep on the way of a request.
//
// Linux 6.12 (EEVDF, PREEMPT_SHORT); before it, or where it is not permitted, nothing happens.
// Nor does it to a thread that somebody gave another policy than SCHED_OTHER. Any thread.
void ask_for_short_slices();

}  // namespace aoe::os
