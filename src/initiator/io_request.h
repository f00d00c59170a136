// What goes into the initiator core and what comes out, as plain values.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/packet_buffer.h"
#include "base/time.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_registers.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace aoe::initiator {

// Index of an open device in the core. Reused after the device was closed.
using DeviceId = Id<struct DeviceMeaning, std::uint16_t>;

enum class IoOp : std::uint8_t {
  read,
  write,  // executed when it completes; on stable storage after a later flush, or at once where
          // the target writes through
  flush,  // writes that completed before it was submitted reach stable storage
  trim,   // the range may be forgotten
  write_zeroes,  // the range reads as zeros afterwards
};

[[nodiscard]] const char* io_op_name(IoOp op);

// A request to an open device. The memory behind read_into and write_from belongs to the core from
// an accepted submit() until the completion was polled: nobody else may write it, because a
// retransmission must carry the bytes of the first transmission.
struct IoRequest {
  IoOp op = IoOp::read;
  Lba lba{};                   // 0 for flush
  std::uint64_t sectors = 0;   // 1.. and inside the device; 0 for flush
  ByteSpan read_into{};        // read: sectors * 512 bytes; else empty
  ConstByteSpan write_from{};  // write: sectors * 512 bytes; else empty
  bool durable = false;        // on stable storage when it completes, as if flushed (not reads)
  std::uint64_t cookie = 0;    // returned in the completion, the caller's to choose
  Duration timeout{};          // until the request fails; 0 = the device's setting
};

// How a request ended.
enum class IoStatus : std::uint8_t {
  ok,
  media_error,   // ATA UNC: the medium cannot be read
  out_of_range,  // ATA IDNF: the target has no such sector (it shrank)
  aborted,       // ATA ABRT: the target refuses the command, or writes to a read-only disk
  device_fault,  // ATA DF and everything else: the target failed to do it
  rejected,      // an AoE error reply; aoe_error says which
  timed_out,     // the deadline came first. A write may or may not have been executed
  cancelled,     // the device was closed. As with timed_out
  no_path,       // nothing reached the device for too long (DeviceSettings). As with timed_out
  cache_lost,    // flush: the target lost its cache; writes that had completed may be gone
};

[[nodiscard]] const char* io_status_name(IoStatus status);

struct IoCompletion {
  std::uint64_t cookie = 0;
  DeviceId device{};
  IoOp op = IoOp::read;
  IoStatus status = IoStatus::ok;
  Lba error_lba{};                 // first sector known to be in error, when status is an ATA error
  protocol::AtaOutcome outcome{};  // registers of the answer that failed
  std::uint8_t aoe_error = 0;      // a protocol::AoeError, when rejected
  std::uint64_t sectors = 0;       // as requested
  std::uint32_t retransmissions = 0;  // of all its frames
  Duration latency{};                 // from submit to the last answer
};

// Why submit() took a request not. No completion follows.
enum class SubmitError : std::uint8_t {
  unknown_device,  // no such DeviceId is open
  not_ready,       // the device was never up: its size is unknown
  bad_request,     // a length that does not match, zero sectors, or an unknown op
  out_of_range,    // past the end of the device
  read_only,       // the device was opened read-only
  unsupported,     // trim on a target without it
  busy,            // every request slot is taken; try again after a completion
  no_path,         // nothing has reached the device for too long (DeviceSettings)
  closing,         // the device takes nothing new
};

[[nodiscard]] const char* submit_error_name(SubmitError error);

// One exchange of any AoE command with any peer: what the raw tools are made of. `argument` and
// `reply` belong to the core like the memory of an IoRequest.
struct CommandRequest {
  std::uint64_t cookie = 0;
  DeviceAddress address{};  // may hold the wildcards
  MacAddress destination = MacAddress::broadcast();
  std::optional<PortId> port{};     // absent: every port whose link is up
  std::uint8_t command = 0;         // a protocol::Command or a vendor code
  ConstByteSpan argument{};         // frame bytes from 24 on
  ByteSpan reply{};                 // takes the reply's bytes from 24 on, as many as fit
  std::size_t reply_bytes_min = 0;  // a shorter reply without an error flag is ignored and counted
  Duration timeout = Duration::seconds(5);
  std::uint32_t retransmissions_max = 0xFFFFFFFF;           // 0: send once, then only wait
  Duration retransmit_after = Duration::milliseconds(200);  // the first time; doubles, at most 2 s
};

struct CommandCompletion {
  std::uint64_t cookie = 0;
  bool answered = false;  // else timed out, and only cookie and retransmissions mean something
  protocol::FrameHeader header{};  // of the reply; error replies included
  PortId port{};                   // where the reply came in
  std::size_t reply_bytes = 0;     // bytes behind the header that arrived, padding included
  Duration rtt{};                  // from the last transmission
  std::uint32_t retransmissions = 0;
};

// A frame to send and the port to send it from.
struct TxFrame {
  PortId port{};
  PacketBuffer frame{};
};

// Why a path is not used though something answers on it.
enum class QuarantineReason : std::uint8_t {
  none,
  identity,  // another disk: serial, model, world wide name or size differ
  instance,  // the same disk through another target, while one serves already
  pin,       // not the MAC or the serial number that the settings ask for
};

[[nodiscard]] const char* quarantine_reason_name(QuarantineReason reason);

enum class EventKind : std::uint8_t {
  target_found,      // a target answered on a path that was not known; address, port, mac
  target_changed,    // its advertised limits or config string changed; address, port, mac
  device_up,         // device has its first live path; sectors
  device_down,       // device lost its last live path; requests wait for their deadlines
  device_resized,    // it grew: sectors is the new size, sectors_before the old one
  device_shrunk,     // likewise; requests past the new end fail. Data may be gone
  device_fast_fail,  // no path for so long that requests which were not sent fail now
  device_lost,       // no path for so long that every request fails now
  device_drained,    // it was closing, and its last request has ended
  path_up,           // device, port, mac
  path_down,         // device, port, mac
  path_quarantined,  // mac answers for the device but is not used; reason
  payload_lowered,   // frames of sectors_before sectors vanish on the path; sectors are used now
  payload_raised,    // larger frames pass: likewise
  target_restarted,  // the target at mac is another instance, or forgot us: what was not answered
                     // is sent again
  cache_lost,        // it lost its cache: writes that completed without a flush may be gone
  frames_damaged,    // frames of mac arrive with wrong checksums (told once in ten seconds)
  events_lost,       // the caller polled too seldom; look at the state instead
};

[[nodiscard]] const char* event_kind_name(EventKind kind);

struct Event {
  EventKind kind = EventKind::target_found;
  DeviceAddress address{};
  DeviceId device{};
  PortId port{};
  MacAddress mac{};
  std::uint64_t sectors = 0;
  std::uint64_t sectors_before = 0;
  QuarantineReason reason = QuarantineReason::none;
};

}  // namespace aoe::initiator
