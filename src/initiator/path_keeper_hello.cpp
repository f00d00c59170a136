// Which protocol the target at the far end of a path speaks.
#include "initiator/path_keeper.h"
#include "protocol/aoe_session.h"

namespace aoe::initiator {
namespace {

// So many hellos may be lost, or unheard by a target that ignores what it does not know, while
// small questions are answered.
constexpr std::uint32_t kHelloTries = 4;

bool has_sessions(const Device& device) {
  for (std::uint32_t i = 0; i < device.paths().size(); ++i) {
    if (device.paths().at(i).is_serving() && device.paths().at(i).peer == Peer::session) {
      return true;
    }
  }
  return false;
}

}  // namespace

void PathKeeper::on_hello(Instant now, std::uint32_t slot, const protocol::FrameHeader& header,
                          ConstByteSpan frame) {
  const Exchange exchange = context_.exchanges.at(slot);
  const DeviceId id = exchange.device;
  if (header.is_error) {
    if (header.error == static_cast<std::uint8_t>(protocol::AoeError::device_unavailable)) {
      prober_.ask_again(now, slot);
      return;
    }
    path_at(id, exchange.path).answered = now;
    settle_plain(now, id, exchange.path);
    return;
  }
  const auto hello = protocol::parse_hello(frame);
  if (!hello && hello.error() == protocol::HelloError::damaged) {
    ++context_.stats.frames_damaged;
    return;
  }
  if (!hello) {
    // The number means something else to this vendor, or it speaks another version.
    settle_plain(now, id, exchange.path);
    return;
  }
  if (hello->kind != protocol::HelloKind::hello || hello->initiator_instance != context_.instance ||
      hello->session == 0 || hello->target_instance == 0) {
    ++context_.stats.wrong_seal;
    return;
  }
  ++context_.stats.answers;
  settle_session(now, id, exchange.path, *hello);
}

void PathKeeper::settle_plain(Instant now, DeviceId id, std::uint32_t path_index) {
  prober_.stop(id, path_index, PathQuestion::hello);
  Path& path = path_at(id, path_index);
  if (path.peer != Peer::plain) {
    ++context_.stats.plain_fallbacks;
    path.peer = Peer::plain;
    limit(id, path_index);
  }
  admit(now, id, path_index);
}

void PathKeeper::settle_session(Instant now, DeviceId id, std::uint32_t path_index,
                                const protocol::Hello& hello) {
  prober_.stop(id, path_index, PathQuestion::hello);
  Device& own = device(id);
  std::uint32_t in_use = 0;
  for (std::uint32_t i = 0; i < own.paths().size(); ++i) {
    if (i != path_index && path_at(id, i).session != kNoIndex) {
      in_use |= 1U << path_at(id, i).session;
    }
  }
  Path& path = path_at(id, path_index);
  const PeerSessions::Adopted adopted = own.sessions().adopt(hello, in_use);
  const bool had_one = path.session != kNoIndex;
  const bool is_new = adopted.change != PeerSessions::Change::none;
  path.answered = now;
  path.peer = Peer::session;
  path.session = adopted.index;
  limit(id, path_index);
  if (is_new) {
    ++context_.stats.sessions;
    if (had_one) {
      emit(EventKind::target_restarted, id, path);
    }
    // It is another start of the target: the disk may be another one.
    if (path.is_serving()) {
      look_again(now, id, path_index);
    }
  }
  if (path.is_serving() && !is_new && own.other_instance_serves(path_index) && !may_have_many(id)) {
    // Another path was found to lead to another instance, and this one still leads to its own.
    quarantine(now, id, path_index, QuarantineReason::instance);
    return;
  }
  if (path.is_serving() && is_new) {
    // The others may still believe in the instance that is gone.
    for (std::uint32_t i = 0; i < own.paths().size(); ++i) {
      if (i != path_index && path_at(id, i).is_serving() &&
          path_at(id, i).session != path.session) {
        prober_.ask(now, id, i, PathQuestion::hello);
      }
    }
  }
  admit(now, id, path_index);
}

void PathKeeper::on_hello_silence(Instant now, std::uint32_t slot) {
  const Exchange exchange = context_.exchanges.at(slot);
  const DeviceId id = exchange.device;
  Path& path = path_at(id, exchange.path);
  // Where the device has sessions this may be lost frames, but hardly a plain target.
  if (exchange.transmissions >= kHelloTries && path.answered > exchange.first_sent &&
      path.is_identified && !has_sessions(device(id))) {
    settle_plain(now, id, exchange.path);
    return;
  }
  if (exchange.transmissions >= kHelloTries && path.is_serving() &&
      path.answered <= exchange.first_sent) {
    went(now, id, exchange.path, PathState::probing);
    look_again(now, id, exchange.path);
    return;
  }
  // Does it hear us at all?
  look_again(now, id, exchange.path);
  prober_.repeat(slot);
}

void PathKeeper::on_renew(Instant now, std::uint32_t slot, std::uint32_t path_index,
                          ConstByteSpan frame) {
  const Exchange exchange = context_.exchanges.at(slot);
  const DeviceId id = exchange.device;
  const auto hello = protocol::parse_hello(frame);
  if (!hello || hello->kind != protocol::HelloKind::renew) {
    ++context_.stats.malformed;
    return;
  }
  Path& via = path_at(id, path_index);
  if (via.peer != Peer::session || hello->session != exchange.session_id ||
      !device(id).sessions().lose(via.session, hello->session)) {
    return;
  }
  ++context_.stats.session_losses;
  via.answered = now;
  for (std::uint32_t i = 0; i < device(id).paths().size(); ++i) {
    Path& path = path_at(id, i);
    if (path.peer != Peer::session || path.session != via.session) {
      continue;
    }
    // Nothing is sent plain meanwhile, nor to a disk that may be another one.
    path.peer = Peer::unknown;
    path.is_identified = false;
    prober_.stop(id, i, PathQuestion::size);
    io_.on_path_lost(id, i);
    look_again(now, id, i);
    prober_.ask(now, id, i, PathQuestion::hello);
  }
}

}  // namespace aoe::initiator
