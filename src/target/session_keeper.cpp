#include "target/session_keeper.h"

#include "protocol/ata_command.h"

#include <algorithm>
#include <utility>

namespace aoe::target {
namespace {

using protocol::AoeError;
using protocol::DataDirection;
using protocol::Hello;
using protocol::HelloError;
using protocol::HelloKind;
using protocol::SealedFrame;
using protocol::SealError;

std::uint16_t offered_capabilities(const ExportSettings& settings) {
  return settings.has_duplicate_memory ? protocol::kCapabilitySequences | protocol::kCapabilityCrc
                                       : protocol::kCapabilityCrc;
}

void note_use(Session& session, const Arrival& arrival) {
  session.last_used = arrival.now;
  session.last_source = arrival.header.source;
  session.last_port = arrival.port;
}

std::uint32_t frame_life_ms(const TargetLimits& limits) {
  return static_cast<std::uint32_t>(limits.frame_life.ns / 1'000'000);
}

// Whether this plain frame was a sealed one that was damaged where the seal's magic stood. A plain
// write ends with its sectors: one with room for a seal had a seal when it was sent, whoever sent
// it, and whatever destroyed that may have been at the data too.
bool has_lost_seal(ConstByteSpan frame) {
  if (frame.size() <= protocol::kFrameBytesMin || !protocol::seal_offset(frame.size())) {
    return false;
  }
  const auto ata = protocol::parse_ata(frame);
  return ata && ata->argument.has_write_flag();
}

}  // namespace

SessionKeeper::SessionKeeper(CoreParts& parts, Responder& responder, AtaExecutor& executor)
    : parts_(parts), responder_(responder), executor_(executor) {
  while (parts_.instance == 0) {
    parts_.instance = parts_.prng.next();
  }
  parts_.volatile_epoch = parts_.instance;
}

void SessionKeeper::handle_hello(const Arrival& arrival, Export& subject) {
  SealCounters& counters = subject.stats.seal;
  const auto hello = protocol::parse_hello(arrival.bytes);
  if (!hello && hello.error() != HelloError::damaged) {
    ++subject.stats.aoe_errors;
    parts_.replies.send_error(arrival.now, arrival.port, arrival.header, subject.settings.address,
                              AoeError::unknown_command);
    return;
  }
  if (!hello || hello->kind != HelloKind::hello || arrival.header.destination.is_group()) {
    ++counters.hellos_damaged;
    ++parts_.stats.drops.hello;
    return;
  }
  if (!parts_.replies.spend_token(arrival.now)) {
    return;
  }
  const std::uint16_t index = session_for(arrival, *hello, subject);
  if (index == SessionTable::kNone) {
    ++counters.hellos_refused;
    ++parts_.stats.drops.hello;
    return;
  }
  Session& session = parts_.sessions.at(index);
  note_use(session, arrival);
  session.frame_life_ms = hello->frame_life_ms;
  ++counters.hellos;
  Hello reply = *hello;
  reply.capabilities = session.capabilities;
  reply.target_instance = parts_.instance;
  reply.session = session.id;
  reply.frame_life_ms = frame_life_ms(parts_.limits);
  reply.sequence_window = parts_.duplicates.window();
  const std::uint64_t epoch = subject.settings.cache_epoch;
  reply.cache_epoch = epoch != 0 ? epoch : parts_.volatile_epoch;
  send_hello(arrival, subject, reply);
}

std::uint16_t SessionKeeper::session_for(const Arrival& arrival, const Hello& hello,
                                         Export& subject) {
  const std::uint32_t low = std::max(hello.sequence_low, 1U);
  std::uint16_t index = parts_.sessions.find(hello.initiator_instance, subject.id);
  if (index != SessionTable::kNone) {
    parts_.duplicates.advance(index, low);
    return index;
  }
  // A session that is in use stays: more initiators than places would take them from each other
  // for ever, and none would get anywhere. Who finds no room goes on without a session.
  index = parts_.sessions.make(arrival.now, parts_.prng, [&](std::uint16_t candidate) {
    const Duration idle = arrival.now - parts_.sessions.at(candidate).last_used;
    return idle < parts_.limits.frame_life || parts_.duplicates.executing(candidate) != 0;
  });
  if (index != SessionTable::kNone) {
    Session& session = parts_.sessions.at(index);
    session.export_id = subject.id;
    session.initiator_instance = hello.initiator_instance;
    session.capabilities = hello.capabilities & offered_capabilities(subject.settings);
    parts_.duplicates.open(index, low);
    ++subject.stats.seal.sessions;
  }
  return index;
}

void SessionKeeper::hand_over(const Export& subject, Handover& handover) const {
  handover.target_instance = parts_.instance;
  if (subject.settings.cache_epoch == 0) {
    return;  // what was answered goes with the store
  }
  for (std::size_t i = 0; i < parts_.sessions.all().size(); ++i) {
    const Session& session = parts_.sessions.all()[i];
    if (session.id != 0 && session.export_id == subject.id) {
      const auto index = static_cast<std::uint16_t>(i);
      handover.sessions.push_back({.id = session.id,
                                   .initiator_instance = session.initiator_instance,
                                   .capabilities = session.capabilities,
                                   .frame_life_ms = session.frame_life_ms,
                                   .last_source = session.last_source,
                                   .low = parts_.duplicates.low(index),
                                   .answers = parts_.duplicates.remembered(index)});
    }
  }
}

void SessionKeeper::take_over(Instant now, Export& subject, const Handover& handover) {
  if (!is_instance_told_) {
    parts_.instance = handover.target_instance;
    is_instance_told_ = true;
  }
  if (parts_.instance != handover.target_instance) {
    return;  // sessions of another target would be taken for our own
  }
  for (const Handover::Session& handed : handover.sessions) {
    const std::uint16_t index = parts_.sessions.restore(now, handed.id);
    if (index == SessionTable::kNone) {
      continue;  // it is begun anew
    }
    Session& session = parts_.sessions.at(index);
    session.export_id = subject.id;
    session.initiator_instance = handed.initiator_instance;
    session.capabilities = handed.capabilities & offered_capabilities(subject.settings);
    session.frame_life_ms = handed.frame_life_ms;
    session.last_source = handed.last_source;
    parts_.duplicates.open(index, handed.low);
    for (const DuplicateFilter::Remembered& answer : handed.answers) {
      if (answer.sequence - handed.low < parts_.duplicates.window()) {
        parts_.duplicates.answer_at_once(index, answer.sequence, answer.digest, answer.answer);
      }
    }
  }
}

void SessionKeeper::send_hello(const Arrival& arrival, const Export& subject, const Hello& hello) {
  is_instance_told_ = true;
  PacketBuffer frame = parts_.replies.allocate(arrival.port, protocol::kHelloBytes);
  if (!frame) {
    return;
  }
  protocol::FrameHeader header = protocol::reply_header(
      arrival.header, parts_.replies.port(arrival.port).mac, subject.settings.address);
  header.command = protocol::kHelloCommand;
  protocol::build_header(frame.bytes(), header);
  protocol::build_hello(frame.bytes(), hello);
  parts_.replies.send(arrival.port, std::move(frame), protocol::kHelloBytes);
}

void SessionKeeper::send_renew(const Arrival& arrival, Export& subject, std::uint32_t session) {
  ++subject.stats.seal.renews;
  if (parts_.replies.spend_token(arrival.now)) {
    send_hello(arrival, subject,
               {.kind = HelloKind::renew,
                .capabilities = offered_capabilities(subject.settings),
                .initiator_instance = 0,
                .target_instance = parts_.instance,
                .session = session,
                .frame_life_ms = frame_life_ms(parts_.limits),
                .sequence_window = 0,
                .sequence_low = 0,
                .cache_epoch = 0});
  }
}

void SessionKeeper::drop(std::uint64_t& counter) {
  ++counter;
  ++parts_.stats.drops.sealed;
}

void SessionKeeper::note_damage(const Arrival& arrival, Export& subject) {
  drop(subject.stats.seal.damaged);
  ++subject.burst_damaged;
  if (subject.damage_burst_begin != Instant{} &&
      arrival.now < subject.damage_burst_begin + parts_.limits.error_burst) {
    return;
  }
  TargetEvent event;
  event.kind = EventKind::frame_damaged;
  event.export_id = subject.id;
  event.address = subject.settings.address;
  event.mac = arrival.header.source;
  event.port = arrival.port;
  event.value = std::exchange(subject.burst_damaged, 0);
  copy_bytes(event.frame_head, arrival.bytes.first(event.frame_head.size()));
  parts_.events.add(event);
  subject.damage_burst_begin = arrival.now;
}

bool SessionKeeper::open_seal(Arrival& arrival, Export& subject) {
  const auto sealed = protocol::parse_sealed(arrival.bytes);
  if (sealed) {
    return enter_session(arrival, subject, *sealed) && is_new(arrival, subject);
  }
  switch (sealed.error()) {
    case SealError::absent:
      if (!has_lost_seal(arrival.bytes)) {
        return true;
      }
      note_damage(arrival, subject);
      return false;
    case SealError::damaged:
      note_damage(arrival, subject);
      return false;
    case SealError::unsupported:
      break;
  }
  drop(subject.stats.seal.refused);
  return false;
}

std::uint16_t SessionKeeper::find_session(std::uint32_t session, const Export& subject) const {
  const std::uint16_t index = parts_.sessions.find(session);
  if (index == SessionTable::kNone || parts_.sessions.at(index).export_id != subject.id) {
    return SessionTable::kNone;
  }
  return index;
}

bool SessionKeeper::drop_changed_command(const Arrival& arrival, Export& subject) {
  const std::optional<protocol::Seal> claim = protocol::claimed_seal(arrival.bytes);
  if (!claim) {
    return false;
  }
  if (find_session(claim->session, subject) == SessionTable::kNone) {
    return false;
  }
  note_damage(arrival, subject);
  return true;
}

bool SessionKeeper::enter_session(Arrival& arrival, Export& subject, const SealedFrame& sealed) {
  const std::uint16_t index = find_session(sealed.seal.session, subject);
  if (index == SessionTable::kNone) {
    send_renew(arrival, subject, sealed.seal.session);
    return false;
  }
  Session& session = parts_.sessions.at(index);
  const bool wants_crc = (session.capabilities & protocol::kCapabilityCrc) != 0;
  if (sealed.seal.has_crc != wants_crc) {
    drop(subject.stats.seal.refused);
    return false;
  }
  note_use(session, arrival);
  // 0 is no sequence, and says nothing about the others.
  if (sealed.seal.sequence_low != 0) {
    parts_.duplicates.advance(index, sealed.seal.sequence_low);
  }
  arrival.context.session = index;
  arrival.context.seal = sealed.seal;
  arrival.context.digest = RequestDigest::of(arrival.bytes, sealed);
  arrival.bytes = protocol::without_seal(arrival.bytes);
  return true;
}

bool SessionKeeper::is_new(Arrival& arrival, Export& subject) {
  SealContext& context = arrival.context;
  Session& session = parts_.sessions.at(context.session);
  SealCounters& counters = subject.stats.seal;
  const auto ata = protocol::parse_ata(arrival.bytes);
  const DataDirection direction =
      ata ? protocol::data_direction(ata->argument) : DataDirection::none;
  const bool has_sequences = (session.capabilities & protocol::kCapabilitySequences) != 0;
  // What is read is read again: no memory could hold it, and none needs to.
  if (!has_sequences || direction == DataDirection::in || context.seal.sequence == 0) {
    if (has_sequences && direction == DataDirection::out) {
      drop(counters.unordered);
      return false;
    }
    ++counters.requests;
    ++session.requests;
    return true;
  }
  using Kind = DuplicateFilter::Kind;
  const DuplicateFilter::Verdict verdict =
      parts_.duplicates.look_up(context.session, context.seal.sequence, context.digest);
  context.is_once = true;
  switch (verdict.kind) {
    case Kind::fresh:
      ++counters.requests;
      ++session.requests;
      return true;
    case Kind::executing:
      ++counters.duplicates_executing;
      ++session.duplicates;
      executor_.answer_to(verdict.slot, arrival.requester());
      return false;
    case Kind::done:
      ++counters.duplicates_answered;
      ++session.duplicates;
      responder_.send_again(arrival.now, arrival.requester(), subject.settings.address,
                            verdict.answer);
      return false;
    case Kind::mismatch:
      drop(counters.mismatched);
      return false;
    case Kind::stale:
      drop(counters.stale);
      return false;
    case Kind::beyond:
      drop(counters.beyond_window);
      return false;
  }
  return false;
}

}  // namespace aoe::target
