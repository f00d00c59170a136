// A remote disk, opened: what programs read from and write to.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/result.h"
#include "base/time.h"
#include "initiator/io_request.h"
#include "initiator/options.h"
#include "protocol/ata_identify.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aoe::initiator {
class Device;
}

namespace aoe::client {

class SessionState;

// The vocabulary of requests is the initiator's.
using initiator::IoCompletion;
using initiator::IoOp;
using initiator::IoRequest;
using initiator::IoStatus;

enum class Access : std::uint8_t { read_write, read_only };

struct DeviceOptions {
  // How long a request is retried before it fails with timed_out. The Linux driver gives up after
  // 180 s (aoe_deadsecs); one-shot tools want less.
  Duration timeout = Duration::seconds(180);
  // How long open_device() waits for the target.
  Duration open_timeout = Duration::seconds(5);
  std::uint32_t payload_bytes_max = 0;  // data a frame; 0 = what the path and the target allow
  std::uint32_t window_max = 0;  // frames in flight on one path; 0 = the target's buffer count
  // Which of several paths a frame takes.
  initiator::PathPolicy policy = initiator::PathPolicy::fastest;
  Access access = Access::read_write;
  // While no path reaches the target: requests wait (each until its timeout), or fail at once.
  // After fast_io_fail what was not sent yet fails, after device_loss everything does; 0 = never.
  // The device comes back by itself all the same.
  initiator::OnPathLoss on_path_loss = initiator::OnPathLoss::queue;
  Duration fast_io_fail{};
  Duration device_loss = Duration::seconds(180);
  // Only targets with these MACs, only a disk with this serial number. Empty: whoever answers
  // first.
  std::vector<MacAddress> pinned_macs{};
  std::string pinned_serial{};
  // `many`: several targets may serve the disk at the same time (gateways to one store).
  initiator::DeviceSettings::Instances instances = initiator::DeviceSettings::Instances::one;
};

// One way to the target: a local interface and a remote MAC.
struct PathInfo {
  std::string interface;
  MacAddress mac;
  std::string state;       // "probing", "live", "suspect", "down" or "quarantined"
  std::string quarantine;  // why it is, else "none"
  std::string peer;        // "unknown", "plain" or "session": what the target speaks
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_bytes_allowed = 0;  // by MTU, target and options; larger if frames vanish
  std::uint32_t window_frames = 0;
  std::uint32_t in_flight_frames = 0;
  Duration srtt{};
  Duration rttvar{};
  Duration rto{};
  Duration rtt_min{};
  Duration rtt_p50{};
  Duration rtt_p99{};
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_answered = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t frames_damaged = 0;  // arrived with a wrong checksum
};

struct DeviceInfo {
  DeviceAddress address;
  std::string state;  // "opening", "up", "down", "quarantined" or "closing"
  protocol::IdentifyModel identity;
  std::uint64_t sectors = 0;
  std::uint32_t payload_bytes = 0;  // the smallest of the live paths: a good unit of I/O
  bool is_up = false;
  Access access = Access::read_write;
  std::vector<PathInfo> paths;
};

// Whether the target refused a request because another host has reserved the disk.
[[nodiscard]] bool is_reserved(const IoCompletion& completion);

// Single thread: everything happens inside the calls of the session's thread. Goes before its
// session does; destroying it cancels what is outstanding, so buffers may be freed afterwards.
class Device {
 public:
  Device(std::shared_ptr<SessionState> session, initiator::DeviceId id);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  [[nodiscard]] DeviceInfo info() const;
  [[nodiscard]] DeviceAddress address() const;
  [[nodiscard]] std::uint64_t sectors() const;
  // The target answers now. Requests to a device that is down wait for it until their deadline.
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] Access access() const;
  // The disk as its IDENTIFY shows it, until the session is driven again. Null before the device
  // was up once.
  [[nodiscard]] const protocol::IdentifyModel* identity() const;

  // Starts a request; see IoRequest for who owns its memory. Sends nothing by itself:
  // wait() or poll() do. Errors: invalid_argument (range, length), not_permitted (read-only),
  // unsupported (trim), busy (too many outstanding: poll first), unavailable.
  [[nodiscard]] Result<void> submit(const IoRequest& request);

  // Drives the session once without blocking and moves completions of this device into `out`;
  // returns how many.
  [[nodiscard]] std::size_t poll(std::span<IoCompletion> out);

  // The same without driving: for whoever calls Session::process().
  [[nodiscard]] std::size_t take(std::span<IoCompletion> out);

  // Drives the session until a completion of this device is there or `deadline` has come; true in
  // the first case. Take it with poll().
  [[nodiscard]] bool wait(Instant deadline);

  [[nodiscard]] std::size_t outstanding() const;

  // Takes no requests any more, and drives the session until those that it has are over. Their
  // completions stay for poll(). Errors: timed_out (`deadline` came first; draining goes on).
  [[nodiscard]] Result<void> drain(Instant deadline);

  // One request each, start to end; any size. They may be mixed with submit(): completions of other
  // requests stay for poll(). Errors: io (ATA error, with the LBA in the text), timed_out and those
  // of submit().
  [[nodiscard]] Result<void> read(Lba lba, ByteSpan into);
  [[nodiscard]] Result<void> write(Lba lba, ConstByteSpan from);
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> trim(Lba lba, std::uint64_t sectors);
  [[nodiscard]] Result<void> write_zeroes(Lba lba, std::uint64_t sectors);

  // "e7.1: write at lba 2048: timed out after 30 s (..)": the text of a completion that is not ok.
  [[nodiscard]] Error error_of(const IoCompletion& completion) const;

 private:
  friend class Session;

  [[nodiscard]] const initiator::Device& core_device() const;
  [[nodiscard]] Result<void> run(const IoRequest& request);
  [[nodiscard]] tl::unexpected<Error> submit_failure(const IoRequest& request,
                                                     initiator::SubmitError error) const;

  std::shared_ptr<SessionState> session_;
  initiator::DeviceId id_;
};

}  // namespace aoe::client
