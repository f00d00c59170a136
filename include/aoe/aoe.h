// libaoe: disks that speak ATA over Ethernet, for C and C++ programs. libaoe(3) is the
// introduction; the manual page of each call is made from the comment above it here.
//
// Calls that can fail return -1 (or NULL) and leave an error number and a text for the thread:
// aoe_get_errno(), aoe_get_error(). Sizes and offsets count bytes; any offset and length inside the
// device will do, and what is not whole sectors of 512 bytes costs reading and writing back.
//
// A handle is made, set, opened and closed by one thread at a time; while it is open, any thread
// may use it at any time, and aoe_close() is the last call with it. Completions and other callbacks
// run without a lock held, in the thread that drives the handle: one that is inside a waiting call,
// aoe_process() or aoe_poll(), or the library's own after aoe_start_thread(). A callback may start
// requests (aoe_aio_..) and ask (aoe_get_.., aoe_can_..); calls that wait, drive or close fail in
// it with EDEADLK.
#ifndef AOE_AOE_H
#define AOE_AOE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AOE_PUBLIC __attribute__((visibility("default")))

// One device. From aoe_create().
struct aoe_handle;

// What a request may ask for beside the operation. They are bits of `flags`.
enum {
  AOE_FLAG_FUA = 1,       // complete when the change is on stable storage ("force unit access")
  AOE_FLAG_NO_HOLE = 2,   // aoe_zero: keep the blocks allocated
  AOE_FLAG_FAST_ZERO = 4  // aoe_zero: only if that is faster than writing zeros
};

// ---- the library --------------------------------------------------------------------------------

// Tell the version of the library.
//
// Returns "MAJOR.MINOR.PATCH", which lives as long as the library does.
AOE_PUBLIC const char* aoe_version(void);

// Tell why the last call of this thread failed.
//
// The text is complete and for people: "aoe_open: e7.1: no target answers in 5.0 s (check the
// address and the interfaces)". Each thread has its own. Inside a completion callback with an error
// it is the text of that request. It is not changed by calls that succeed.
//
// Returns a text that lives until the next failure in this thread; empty when nothing has failed.
// aoe_get_errno() returns the number of the same error, as in errno.h; 0 when nothing has failed.
AOE_PUBLIC const char* aoe_get_error(void);
AOE_PUBLIC int aoe_get_errno(void);

// ---- a handle and its settings ------------------------------------------------------------------

// Make a handle.
//
// It belongs to the caller, who gives it back with aoe_close(). It does nothing until aoe_open().
//
// Returns the handle, or NULL.
//
// Errors:
//   ENOMEM  no memory is left
AOE_PUBLIC struct aoe_handle* aoe_create(void);

// End everything of a handle and free it.
//
// Requests that are outstanding, and an open that is under way, end with ECANCELED: their callbacks
// run inside this call, and so the memory of all requests is free when it returns. A write that was
// cancelled may or may not have been done. Nothing is flushed: see aoe_flush(3). A thread of the
// library ends with the last handle of its network. NULL is taken and ignored.
//
// Returns 0, or -1, and then the handle is as it was.
//
// Errors:
//   EDEADLK  called from a callback
AOE_PUBLIC int aoe_close(struct aoe_handle* handle);

// Name the network interfaces to use.
//
// `interfaces` is "eth1", or several as "eth1,eth2", or "auto" for every Ethernet interface with a
// carrier. An URI with interfaces of its own overrides it. There is no default: a disk protocol has
// no business on a network that nobody named.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL  an empty or overlong name, or the handle is open
AOE_PUBLIC int aoe_set_interfaces(struct aoe_handle* handle, const char* interfaces);

// Choose to only read.
//
// With `read_only` other than 0 every call that changes data fails with EROFS before anything is
// sent. The default is 0.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL  the handle is open
AOE_PUBLIC int aoe_set_read_only(struct aoe_handle* handle, int read_only);

// Set how long a request, or an open, may take.
//
// aoe_set_timeout_ms() says how long a request is repeated before it fails with ETIMEDOUT; the
// default is 180000, as the Linux driver has it, and an URI's timeout= overrides it. A flush gets
// at least 60 s, because disks may take half that. aoe_set_open_timeout_ms() says how long
// aoe_open() looks for the target; the default is 5000. Both are at least 1.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL  0, or the handle is open
AOE_PUBLIC int aoe_set_timeout_ms(struct aoe_handle* handle, uint32_t milliseconds);
AOE_PUBLIC int aoe_set_open_timeout_ms(struct aoe_handle* handle, uint32_t milliseconds);

// Limit the data in one frame.
//
// `bytes` is a multiple of 512, or 0 for the default: what the interface's MTU and the target
// allow. An URI's payload= overrides it.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL  another number, more than 130560, or the handle is open
AOE_PUBLIC int aoe_set_payload_max(struct aoe_handle* handle, uint32_t bytes);

// Use the network of another handle.
//
// Handles that share have the same interfaces, packet sockets and thread (if any), and know
// together how much the network and each target can take; so a program with several devices behind
// the same interfaces had better share. aoe_get_fd() is the same for all of them, and driving one
// drives all. `with` must be open, and keeps no special place: the network lives as long as its
// last handle. Up to 16 handles share one network, each for another device.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL    `handle` is open
//   ENOTCONN  `with` is not open
AOE_PUBLIC int aoe_share_network(struct aoe_handle* handle, struct aoe_handle* with);

// ---- opening ------------------------------------------------------------------------------------

// What aoe_aio_..() calls once when the request has ended. `error` is 0 or an error number, for
// which aoe_get_error() has the text during the call.
typedef void (*aoe_completion)(void* user_data, int error);

// Open a device.
//
// `uri` is "aoe:e7.1" for shelf 7, slot 1, or "aoe://eth1,eth2/e7.1?timeout=30", which names the
// interfaces and, after the ?, parameters, which go before the settings of the handle: timeout=,
// payload=, window=, mode=read-only, policy= and more, all in aoe(1) under URI. "e7.1" and "7.1"
// will do as well.
//
// The target is asked for until it has answered and identified itself. Once open, the device stays
// open whatever happens to the target: requests wait for its return until their timeout. After a
// failure the handle may be set and opened again.
//
// aoe_aio_open() returns at once and calls `completion` when the device is open or is not to be
// had.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL        the URI is wrong, no interface is named, or the handle is open
//   ENODEV        an interface does not exist, or "auto" finds none
//   EPERM         packet sockets need CAP_NET_RAW
//   ENXIO         no target answers for the device on these interfaces
//   ETIMEDOUT     a target answers, but does not identify itself
//   EEXIST        a handle that shares the network has the device open
//   ENOSPC        16 handles share the network
//   EDEADLK       aoe_open() was called from a callback
AOE_PUBLIC int aoe_open(struct aoe_handle* handle, const char* uri);
AOE_PUBLIC int aoe_aio_open(struct aoe_handle* handle, const char* uri, aoe_completion completion,
                            void* user_data);

// Let a thread of the library drive the handle.
//
// It serves every handle of the network until the last one is closed, and blocks all signals.
// Callbacks run in it from now on: they had better be short. aoe_process() and aoe_poll() fail
// afterwards. Call it on an open handle; more than one call is harmless. A handle with such
// a thread does not survive a fork: a process that goes into the background calls this there.
//
// Returns 0 or -1.
//
// Errors:
//   ENOTCONN  the handle is not open
//   EAGAIN    the system has no thread left
//   EDEADLK   called from a callback
AOE_PUBLIC int aoe_start_thread(struct aoe_handle* handle);

// ---- requests -----------------------------------------------------------------------------------

// Read from a device.
//
// Reads `count` bytes at `offset` into `buffer`. Requests that are outstanding at the same time are
// done in any order, except that one that overlaps an earlier one that changes data sees the
// change.
//
// aoe_aio_pread() returns at once. The buffer belongs to the library until `completion` is called,
// and that is also the case when aoe_close() does so. What it starts leaves with the next turn of
// whoever drives the handle, so that several started together leave together. Up to 256 requests
// may be outstanding on a network: then it fails with EAGAIN, and aoe_pread() waits.
//
// Returns 0 or -1. 0 means all of it: there are no short reads. -1 from aoe_aio_pread() means that
// `completion` will not be called.
//
// Errors:
//   EINVAL     not inside the device, `count` is 0 or above 1 GiB, or unknown flags
//   ENOTCONN   the handle is not open
//   ETIMEDOUT  no answer within the timeout
//   EIO        the target reports an error; the text names the sector
//   EPERM      the target is reserved for somebody else
//   EAGAIN     aoe_aio_pread(): 256 requests are outstanding
//   EDEADLK    aoe_pread() was called from a callback
//   ECANCELED  the handle was closed
AOE_PUBLIC int aoe_pread(struct aoe_handle* handle, void* buffer, size_t count, uint64_t offset,
                         uint32_t flags);
AOE_PUBLIC int aoe_aio_pread(struct aoe_handle* handle, void* buffer, size_t count, uint64_t offset,
                             uint32_t flags, aoe_completion completion, void* user_data);

// Write to a device.
//
// Writes `count` bytes from `buffer` at `offset`. They are on stable storage after a later
// aoe_flush(), or when the call completes if AOE_FLAG_FUA is set. A sector that is written in part
// is read first and written back; writes of this handle to the same sector wait meanwhile, but
// those of others do not, so two hosts should not share a sector.
//
// The buffer must not change until the call completes: frames may have to be repeated as they were.
//
// Returns 0 or -1. After an error, ETIMEDOUT above all, any part of the range may hold the new
// data. aoe_aio_pwrite() returns as aoe_aio_pread() does.
//
// Errors:
//   EROFS      the handle was opened to only read
//   ENOTCONN   and all others of aoe_pread(3)
//
// See also: aoe_pread, aoe_flush
AOE_PUBLIC int aoe_pwrite(struct aoe_handle* handle, const void* buffer, size_t count,
                          uint64_t offset, uint32_t flags);
AOE_PUBLIC int aoe_aio_pwrite(struct aoe_handle* handle, const void* buffer, size_t count,
                              uint64_t offset, uint32_t flags, aoe_completion completion,
                              void* user_data);

// Bring what was written to stable storage.
//
// Covers every change of the device that completed before the call, whoever made it. Where the
// target writes through, this costs little or nothing. `flags` is 0.
//
// Returns 0 or -1. aoe_aio_flush() returns as aoe_aio_pread() does.
//
// Errors:
//   EIO        the target could not do it: data may be lost
//   ENOTCONN   and all others of aoe_pread(3)
//
// See also: aoe_pread, aoe_pwrite
AOE_PUBLIC int aoe_flush(struct aoe_handle* handle, uint32_t flags);
AOE_PUBLIC int aoe_aio_flush(struct aoe_handle* handle, uint32_t flags, aoe_completion completion,
                             void* user_data);

// Say that a range is not needed any more.
//
// What it reads as afterwards is unknown. Only whole sectors inside the range are trimmed; the
// others keep their content. AOE_FLAG_FUA may be set. `count` has no limit but the device's end.
//
// Returns 0 or -1. aoe_aio_trim() returns as aoe_aio_pread() does.
//
// Errors:
//   ENOTSUP    the target has no trim: see aoe_can_trim(3)
//   EROFS      the handle was opened to only read
//   ENOTCONN   and all others of aoe_pread(3)
//
// See also: aoe_zero, aoe_can_trim
AOE_PUBLIC int aoe_trim(struct aoe_handle* handle, uint64_t count, uint64_t offset, uint32_t flags);
AOE_PUBLIC int aoe_aio_trim(struct aoe_handle* handle, uint64_t count, uint64_t offset,
                            uint32_t flags, aoe_completion completion, void* user_data);

// Make a range read as zeros.
//
// Where the target promises that trimmed sectors read as zeros, they are trimmed; else zeros are
// sent. AOE_FLAG_FUA may be set. With AOE_FLAG_NO_HOLE it fails where it would trim, and with
// AOE_FLAG_FAST_ZERO where it would send zeros: the caller then writes zeros itself, or does
// without. `count` has no limit but the device's end.
//
// Returns 0 or -1. aoe_aio_zero() returns as aoe_aio_pread() does.
//
// Errors:
//   ENOTSUP    what the flags demand is not to be had
//   EROFS      the handle was opened to only read
//   ENOTCONN   and all others of aoe_pread(3)
//
// See also: aoe_trim, aoe_pwrite
AOE_PUBLIC int aoe_zero(struct aoe_handle* handle, uint64_t count, uint64_t offset, uint32_t flags);
AOE_PUBLIC int aoe_aio_zero(struct aoe_handle* handle, uint64_t count, uint64_t offset,
                            uint32_t flags, aoe_completion completion, void* user_data);

// Count the requests that are outstanding.
//
// A request counts from the aoe_aio_..() call that started it until its callback has returned, and
// so does an open. aoe_drain() drives the handle, or lets its thread do so, until there are none.
//
// Returns the number of this handle; aoe_drain() returns 0. Both return -1 after an error.
//
// Errors:
//   EINVAL   the handle is NULL
//   EDEADLK  aoe_drain() was called from a callback
AOE_PUBLIC int aoe_in_flight(struct aoe_handle* handle);
AOE_PUBLIC int aoe_drain(struct aoe_handle* handle);

// ---- event loops --------------------------------------------------------------------------------

// Get a descriptor to wait for.
//
// It is readable, to poll(2), epoll(7) and io_uring(7), whenever aoe_process() has something to do.
// Timers are covered too: a loop needs neither a timeout nor another descriptor. It belongs to the
// library, stays the same until the handle is closed or opened again, and must not be read from.
//
// Returns the descriptor, or -1.
//
// Errors:
//   ENOTCONN  the handle is neither open nor being opened
//
// See also: aoe_process, aoe_poll
AOE_PUBLIC int aoe_get_fd(struct aoe_handle* handle);

// Do what there is to do, without waiting.
//
// Sends what was started, takes what arrived, looks at the timers, and runs callbacks. Call it when
// the descriptor of aoe_get_fd(3) is readable. It does a bounded piece of work: when more is left,
// the descriptor stays readable.
//
// Returns how many callbacks were run, or -1.
//
// Errors:
//   ENOTCONN  the handle is neither open nor being opened
//   EINVAL    the network has a thread of its own
//   EDEADLK   called from a callback
//
// See also: aoe_get_fd, aoe_poll
AOE_PUBLIC int aoe_process(struct aoe_handle* handle);

// Wait for callbacks.
//
// For programs without an event loop: as aoe_process(3) whenever there is something to do, until
// callbacks were run or `timeout_ms` milliseconds have passed. -1 waits for ever.
//
// Returns how many callbacks were run, 0 when the time is up, or -1.
//
// Errors:
//   ENOTCONN  and all others of aoe_process(3)
//
// See also: aoe_process, aoe_drain
AOE_PUBLIC int aoe_poll(struct aoe_handle* handle, int timeout_ms);

// ---- questions ----------------------------------------------------------------------------------

// Tell the size of a device.
//
// Returns the number of bytes, or -1.
//
// Errors:
//   ENOTCONN  the handle is not open
//
// See also: aoe_set_size_callback
AOE_PUBLIC int64_t aoe_get_size(struct aoe_handle* handle);

// Called when a device has got another size.
typedef void (*aoe_size_callback)(void* user_data, int64_t size);

// Ask to be told about another size.
//
// `callback` is called with the new size in bytes when the target has been resized, at any time
// once the handle is open. NULL asks for silence again; it may still be running in another thread
// then.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL  the handle is NULL
//
// See also: aoe_get_size
AOE_PUBLIC int aoe_set_size_callback(struct aoe_handle* handle, aoe_size_callback callback,
                                     void* user_data);

// What aoe_get_block_size() can be asked.
enum {
  AOE_BLOCK_MINIMUM = 0,    // multiples of this need no reading before writing: 512
  AOE_BLOCK_PREFERRED = 1,  // a good unit: a power of two that a frame carries, or the disk's block
  AOE_BLOCK_MAXIMUM = 2     // the most that one aoe_pread() or aoe_pwrite() takes: 1 GiB
};

// Tell how to cut requests.
//
// `which` is AOE_BLOCK_MINIMUM, AOE_BLOCK_PREFERRED or AOE_BLOCK_MAXIMUM. Other sizes work as well,
// at a cost: large requests are cut into frames anyhow. The preferred size follows the network and
// may change.
//
// Returns the number of bytes, or -1.
//
// Errors:
//   EINVAL    unknown `which`
//   ENOTCONN  the handle is not open
AOE_PUBLIC int64_t aoe_get_block_size(struct aoe_handle* handle, int which);

// Tell whether a device is there now.
//
// Returns 1 when a path to the target works, 0 when the library is looking for one, or -1. Requests
// to a device that is not there wait.
//
// Errors:
//   ENOTCONN  the handle is not open
AOE_PUBLIC int aoe_is_up(struct aoe_handle* handle);

// Tell whether a device was opened to only read.
//
// A target that refuses writes by itself does not show here: AoE has no word for that.
//
// Returns 1, 0, or -1.
//
// Errors:
//   ENOTCONN  the handle is not open
//
// See also: aoe_set_read_only
AOE_PUBLIC int aoe_is_read_only(struct aoe_handle* handle);

// Tell what a device can do.
//
// aoe_can_flush(), aoe_can_fua() and aoe_can_zero() are true for every device: the library has ways
// for those that lack the commands. aoe_can_trim() asks the disk. Being opened to only read changes
// none of them.
//
// Returns 1, 0, or -1.
//
// Errors:
//   ENOTCONN  the handle is not open
//
// See also: aoe_flush, aoe_pwrite, aoe_trim, aoe_zero
AOE_PUBLIC int aoe_can_flush(struct aoe_handle* handle);
AOE_PUBLIC int aoe_can_fua(struct aoe_handle* handle);
AOE_PUBLIC int aoe_can_trim(struct aoe_handle* handle);
AOE_PUBLIC int aoe_can_zero(struct aoe_handle* handle);

// A disk as it describes itself. Later versions add members at the end.
struct aoe_identity {
  uint16_t shelf;
  uint8_t slot;
  uint8_t has_write_cache;  // 1: a volatile cache is on, so that aoe_flush() matters
  uint8_t has_trim;
  uint8_t trim_reads_zero;  // 1: trimmed sectors read as zeros
  uint16_t rotation_rate;   // 0 unknown, 1 solid state, else revolutions a minute
  uint32_t physical_sector_bytes;
  uint32_t reserved;
  uint64_t size;             // bytes
  uint64_t world_wide_name;  // 0: none
  char serial[24];           // texts end with a zero byte
  char firmware[12];
  char model[44];
};

// Tell who a device is.
//
// Fills `identity`, of which the caller gives the size as it was compiled: sizeof *identity.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL    `identity` is NULL or smaller than any version had it
//   ENOTCONN  the handle is not open
AOE_PUBLIC int aoe_get_identity(struct aoe_handle* handle, struct aoe_identity* identity,
                                size_t identity_size);

// One way to a target: an interface here and an address there. Later versions add members at the
// end.
struct aoe_path {
  const char* interface;
  const char* state;       // "probing", "live", "suspect", "down" or "quarantined"
  const char* quarantine;  // why it is quarantined, else "none"
  const char* peer;  // "unknown", "plain" AoE, or "session": a target of aoekit, with checksums
  uint8_t mac[6];    // of the target
  uint16_t reserved;
  uint32_t payload_bytes;          // data in a frame
  uint32_t payload_bytes_allowed;  // the same by MTU, target and settings: more if frames vanish
  uint32_t window_frames;          // frames that may be in flight now
  uint32_t in_flight_frames;       // and those that are
  int64_t srtt_ns;                 // round trip: smoothed, its variation, the timer made from both
  int64_t rttvar_ns;
  int64_t rto_ns;
  int64_t rtt_min_ns;
  int64_t rtt_p50_ns;
  int64_t rtt_p99_ns;
  uint64_t frames_sent;
  uint64_t frames_answered;
  uint64_t retransmissions;
  uint64_t frames_damaged;  // that arrived with a wrong checksum
};

// Called for one path, which lives during the call. Anything but 0 ends the list.
typedef int (*aoe_path_callback)(void* user_data, const struct aoe_path* path);

// List the ways to a target.
//
// Calls `callback` for each, in the calling thread.
//
// Returns how often it was called, or -1.
//
// Errors:
//   EINVAL    `callback` is NULL
//   ENOTCONN  the handle is not open
AOE_PUBLIC int aoe_list_paths(struct aoe_handle* handle, aoe_path_callback callback,
                              void* user_data);

// What was counted since the handle (upper part) or its network (lower part) was opened. Later
// versions add members at the end.
struct aoe_stats {
  uint64_t requests;  // that have ended, well or not
  uint64_t errors;    // those that did not end well
  uint64_t bytes_read;
  uint64_t bytes_written;

  uint64_t frames_sent;
  uint64_t retransmissions;
  uint64_t answers;          // that belonged to a question
  uint64_t answers_ignored;  // late, twice, malformed or another program's
  uint64_t rx_frames;
  uint64_t rx_bytes;
  uint64_t rx_dropped;  // the kernel had no room
  uint64_t tx_frames;
  uint64_t tx_bytes;
  uint64_t tx_dropped;  // the interface or its queue refused it
};

// Tell what was counted.
//
// Fills `stats`, of which the caller gives the size as it was compiled: sizeof *stats.
//
// Returns 0 or -1.
//
// Errors:
//   EINVAL    `stats` is NULL or smaller than any version had it
//   ENOTCONN  the handle is not open
AOE_PUBLIC int aoe_get_stats(struct aoe_handle* handle, struct aoe_stats* stats, size_t stats_size);

// ---- discovery ----------------------------------------------------------------------------------

// An answer to a discovery. Later versions add members at the end.
struct aoe_target {
  uint16_t shelf;
  uint8_t slot;
  uint8_t sector_count;  // sectors a frame that it takes, as sent: 0 means 2
  uint16_t buffer_count;
  uint16_t firmware_version;
  const char* interface;  // where it answered
  uint8_t mac[6];
  uint16_t config_length;
  const char* config;  // its config string: any bytes, config_length of them, then a zero byte
};

// Called for one answer, which lives during the call. Anything but 0 ends the list.
typedef int (*aoe_target_callback)(void* user_data, const struct aoe_target* target);

// Ask who is there.
//
// Asks on `interfaces` (as in aoe_set_interfaces(3)) for `device`, "e7.1", or for everybody if that
// is NULL; listens for `wait_ms` milliseconds, or until the first answer for a device; then calls
// `callback` for each answer, sorted by shelf, slot, interface and MAC. A target that can be
// reached in several ways is listed for each. No handle is needed, and none is disturbed.
//
// Returns how often `callback` was called, or -1. Silence is no error: then that is 0.
//
// Errors:
//   EINVAL  `device` is no device, no interface is named, or `callback` is NULL
//   ENODEV  an interface does not exist, or "auto" finds none
//   EPERM   packet sockets need CAP_NET_RAW
AOE_PUBLIC int aoe_discover(const char* interfaces, const char* device, uint32_t wait_ms,
                            aoe_target_callback callback, void* user_data);

#ifdef __cplusplus
}
#endif

#endif
