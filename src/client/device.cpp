#include "client/device.h"

#include "client/session_state.h"
#include "os/clock.h"
#include "protocol/aoe_frame.h"

#include <fmt/core.h>

namespace aoe::client {

using initiator::SubmitError;

namespace {

PathInfo describe(const initiator::Device& device, const initiator::Path& path,
                  const std::string& interface) {
  return {.interface = interface,
          .mac = path.mac,
          .state = initiator::path_state_name(path.state),
          .quarantine = initiator::quarantine_reason_name(path.quarantine),
          .peer = initiator::peer_name(path.peer),
          .payload_bytes = path.payload.sectors() * kSectorBytes,
          .payload_bytes_allowed = path.payload.allowed() * kSectorBytes,
          .window_frames = path.window.frames(),
          .in_flight_frames = path.in_flight,
          .srtt = path.rtt.srtt(),
          .rttvar = path.rtt.rttvar(),
          .rto = device.flow().patience(path.rtt),
          .rtt_min = path.rtt.min_rtt(),
          .rtt_p50 = path.round_trips.percentile(50),
          .rtt_p99 = path.round_trips.percentile(99),
          .frames_sent = path.frames_sent,
          .frames_answered = path.frames_answered,
          .retransmissions = path.retransmissions,
          .frames_damaged = path.damaged};
}

Errc errc_of(SubmitError error) {
  switch (error) {
    case SubmitError::unknown_device:
    case SubmitError::not_ready:
    case SubmitError::no_path:
    case SubmitError::closing:
      return Errc::unavailable;
    case SubmitError::read_only:
      return Errc::not_permitted;
    case SubmitError::unsupported:
      return Errc::unsupported;
    case SubmitError::busy:
      return Errc::busy;
    case SubmitError::bad_request:
    case SubmitError::out_of_range:
      break;
  }
  return Errc::invalid_argument;
}

// "write of 8 sectors at lba 2048"
std::string describe(IoOp op, Lba lba, std::uint64_t sectors) {
  if (op == IoOp::flush) {
    return "flush";
  }
  return fmt::format("{} of {} sectors at lba {}", initiator::io_op_name(op), sectors, lba.value);
}

}  // namespace

Device::Device(std::shared_ptr<SessionState> session, initiator::DeviceId id)
    : session_(std::move(session)), id_(id) {}

Device::~Device() {
  session_->close(id_);
}

const initiator::Device& Device::core_device() const {
  return *session_->core().device(id_);
}

DeviceAddress Device::address() const {
  return core_device().address();
}

std::uint64_t Device::sectors() const {
  return core_device().sectors();
}

bool Device::is_up() const {
  return core_device().is_up();
}

Access Device::access() const {
  return core_device().settings().access == initiator::DeviceSettings::Access::read_only
             ? Access::read_only
             : Access::read_write;
}

const protocol::IdentifyModel* Device::identity() const {
  const auto& identity = core_device().identity();
  return identity ? &*identity : nullptr;
}

DeviceInfo Device::info() const {
  const initiator::Device& device = core_device();
  DeviceInfo info{.address = device.address(),
                  .state = initiator::device_state_name(device.state()),
                  .identity = device.identity().value_or(protocol::IdentifyModel{}),
                  .sectors = device.sectors(),
                  .payload_bytes = device.paths().smallest_payload_sectors() * kSectorBytes,
                  .is_up = device.is_up(),
                  .access = access(),
                  .paths = {}};
  for (std::uint32_t i = 0; i < device.paths().size(); ++i) {
    const initiator::Path& path = device.paths().at(i);
    info.paths.push_back(describe(device, path, session_->port_name(path.port)));
  }
  return info;
}

Result<void> Device::submit(const IoRequest& request) {
  if (auto accepted = session_->submit(id_, request); !accepted) {
    return submit_failure(request, accepted.error());
  }
  return {};
}

tl::unexpected<Error> Device::submit_failure(const IoRequest& request, SubmitError error) const {
  std::string reason = initiator::submit_error_name(error);
  if (error == SubmitError::out_of_range) {
    reason += fmt::format(" ({} sectors)", sectors());
  }
  return fail_with(errc_of(error), 0,
                   fmt::format("{}: {}: {}", to_string(address()),
                               describe(request.op, request.lba, request.sectors), reason));
}

std::size_t Device::poll(std::span<IoCompletion> out) {
  session_->turn(Instant{1});
  return take(out);
}

std::size_t Device::take(std::span<IoCompletion> out) {
  return session_->take_completions(id_, out);
}

bool Device::wait(Instant deadline) {
  // At least one turn: what was submitted must leave even when the deadline has passed.
  do {
    if (session_->has_completion(id_)) {
      return true;
    }
    session_->turn(deadline);
  } while (os::monotonic_now() < deadline);
  return session_->has_completion(id_);
}

std::size_t Device::outstanding() const {
  return session_->outstanding(id_);
}

Result<void> Device::drain(Instant deadline) {
  session_->core().drain_device(id_);
  while (outstanding() > 0) {
    if (os::monotonic_now() >= deadline) {
      return fail_with(Errc::timed_out, 0,
                       fmt::format("{}: drain: {} requests are still outstanding",
                                   to_string(address()), outstanding()));
    }
    session_->turn(deadline);
  }
  return {};
}

Result<void> Device::run(const IoRequest& request) {
  const auto completion = session_->run(id_, request);
  if (!completion) {
    return submit_failure(request, completion.error());
  }
  if (completion->status != IoStatus::ok) {
    return aoe::fail(error_of(*completion));
  }
  return {};
}

Result<void> Device::read(Lba lba, ByteSpan into) {
  return run(
      {.op = IoOp::read, .lba = lba, .sectors = into.size() / kSectorBytes, .read_into = into});
}

Result<void> Device::write(Lba lba, ConstByteSpan from) {
  return run(
      {.op = IoOp::write, .lba = lba, .sectors = from.size() / kSectorBytes, .write_from = from});
}

Result<void> Device::flush() {
  return run({.op = IoOp::flush});
}

Result<void> Device::trim(Lba lba, std::uint64_t sectors) {
  return run({.op = IoOp::trim, .lba = lba, .sectors = sectors});
}

Result<void> Device::write_zeroes(Lba lba, std::uint64_t sectors) {
  return run({.op = IoOp::write_zeroes, .lba = lba, .sectors = sectors});
}

bool is_reserved(const IoCompletion& completion) {
  return completion.status == IoStatus::rejected &&
         completion.aoe_error == static_cast<std::uint8_t>(protocol::AoeError::target_reserved);
}

Error Device::error_of(const IoCompletion& completion) const {
  std::string what = to_string(address()) + ": " + initiator::io_op_name(completion.op);
  if (completion.op != IoOp::flush) {
    what += fmt::format(" at lba {}", completion.error_lba.value);
  }
  const char* const status = initiator::io_status_name(completion.status);
  switch (completion.status) {
    case IoStatus::timed_out:
      return {Errc::timed_out, 0,
              fmt::format("{}: no answer in {:.1f} s, {} retransmissions (is the target there?)",
                          what, static_cast<double>(completion.latency.ns) / 1e9,
                          completion.retransmissions)};
    case IoStatus::rejected: {
      return {
          is_reserved(completion) ? Errc::not_permitted : Errc::io, 0,
          fmt::format("{}: {}: {}", what, status, protocol::aoe_error_text(completion.aoe_error))};
    }
    case IoStatus::cache_lost:
      return {Errc::io, 0, fmt::format("{}: {}", what, status)};
    case IoStatus::cancelled:
    case IoStatus::no_path:
      return {Errc::unavailable, 0, fmt::format("{}: {}", what, status)};
    default:
      return {Errc::io, 0,
              fmt::format("{}: {} (ata status {:02x}h, error {:02x}h)", what, status,
                          completion.outcome.status, completion.outcome.error)};
  }
}

}  // namespace aoe::client
