// Any bytes as a story: frames, completions in any order with any error, states that are saved or
// not, time, ports that change, administration. After every step the promises of the target core
// hold, and at the end everything is back in its place.
#include "base/check.h"
#include "fuzz/fuzz_entry.h"
#include "protocol/dissect.h"
#include "support/linux_host.h"
#include "support/sealed_frames.h"
#include "support/target_harness.h"
#include "target/access_list.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace aoe::test {
namespace {

using protocol::ConfigCommand;
using protocol::ReserveCommand;
using target::ExportSettings;
using target::TargetCore;
using target::WriteMode;

constexpr std::size_t kExports = 4;
constexpr std::size_t kStepsMax = 400;
// The data of export n consists of this byte plus n, and of nothing else of that range.
constexpr std::uint8_t kMarker = 0xC0;
constexpr std::uint8_t kDirt = 0xEE;  // what the harness leaves in buffers
constexpr MacAddress kSecondMac{{0x02, 0, 0, 0, 0x0a, 0x11}};

void demand(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "target_core_fuzzer: %s\n", what);
  }
  AOE_CHECK(condition, "a promise of the target core");
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  [[nodiscard]] bool empty() const { return left_ == 0; }

  std::uint8_t byte() {
    if (left_ == 0) {
      return 0;
    }
    --left_;
    return *data_++;
  }

  std::uint32_t below(std::uint32_t bound) { return byte() % bound; }

  bool chance(std::uint32_t in) { return byte() % in == 0; }

  std::uint64_t number(unsigned bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      value = value << 8U | byte();
    }
    return value;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

HarnessOptions options() {
  HarnessOptions options;
  options.limits.requests_max = 16;
  options.limits.initiators_max = 8;
  options.limits.changes_max = 2;
  options.limits.discoveries_max = 2;
  options.limits.exports_max = kExports;
  options.limits.sessions_max = 4;
  options.limits.sequence_window = 8;
  options.limits.write_stamps_max = 8;
  options.limits.light_replies_burst = 64;
  options.limits.light_replies_per_second = 1000;
  options.buffers = 24;
  return options;
}

// Who sent a write, and whether it was allowed to when the frame arrived.
struct Origin {
  MacAddress source;
  DeviceAddress address;
  bool may_write = false;
  // Of a sealed one: 0 where there is none.
  std::uint32_t session = 0;
  std::uint32_t sequence = 0;
};

// A session that a hello was answered with.
struct KnownSession {
  std::uint32_t id = 0;
  DeviceAddress address;
  bool has_sequences = false;
  bool has_crc = false;
  std::uint32_t low = 1;  // the highest that was sent
};

class Story {
 public:
  Story(const std::uint8_t* data, std::size_t size) : in_(data, size), t_(options()) {
    t_.on_receive = [this](ConstByteSpan memory) { remember_origin(memory); };
    t_.on_store_op = [this](ExportId id, const StoreOp& op) { check_store_op(id, op); };
    // The first bytes decide what is served.
    for (std::size_t i = 0; i < kExports; ++i) {
      add(i);
    }
    t_.advance(Duration::seconds(1));
    (void)t_.take_frames();
  }

  void play() {
    for (std::size_t step = 0; step < kStepsMax && !in_.empty(); ++step) {
      play_step();
      check();
    }
    finish();
  }

 private:
  static DeviceAddress address_of(std::size_t index) {
    return {Shelf{7}, Slot{static_cast<std::uint8_t>(index)}};
  }

  [[nodiscard]] const target::Export* export_at(std::size_t index) {
    return t_.core().find(address_of(index));
  }

  void add(std::size_t index) {
    if (export_at(index) != nullptr) {
      return;
    }
    ExportSettings settings = TargetHarness::settings(address_of(index), 64 + in_.below(200));
    const std::uint8_t shape = in_.byte();
    settings.mode = static_cast<WriteMode>(shape % 3U);
    settings.can_discard = (shape & 0x10U) == 0;
    settings.buffer_count = (shape & 0x20U) != 0 ? 2 : 64;
    settings.port_mask = (shape & 0x40U) != 0 ? 0x1 : 0x3;
    settings.hold_plain_writes = Duration::milliseconds((shape & 0x08U) != 0 ? 2'000 : 0);
    settings.has_duplicate_memory = (shape & 0x04U) == 0;
    if ((shape & 0x80U) != 0) {
      settings.remote_admin = target::RemoteAdmin::listed;
      settings.admins = {kInitiatorC};
    }
    const ExportId id = t_.add(settings);
    t_.disk(id).set_blank(static_cast<std::byte>(kMarker + index));
    ids_.push_back(id);
  }

  MacAddress source() {
    constexpr std::array<MacAddress, 8> kSources{kInitiatorA,
                                                 kInitiatorB,
                                                 kInitiatorC,
                                                 kInitiatorA,
                                                 kInitiatorB,
                                                 MacAddress{},
                                                 MacAddress::broadcast(),
                                                 kTargetMac};
    return kSources[in_.below(kSources.size())];
  }

  DeviceAddress address() {
    const std::uint32_t choice = in_.below(32);
    if (choice < 28) {
      return address_of(choice % kExports);
    }
    constexpr std::array<DeviceAddress, 4> kOthers{
        kEverywhere, DeviceAddress{Shelf{7}, protocol::kAllSlots},
        DeviceAddress{protocol::kAllShelves, Slot{1}}, DeviceAddress{Shelf{9}, Slot{9}}};
    return kOthers[choice - 28];
  }

  std::vector<MacAddress> macs() {
    std::vector<MacAddress> list;
    for (std::uint32_t n = in_.below(5); n > 0; --n) {
      list.push_back(source());
    }
    return list;
  }

  FrameBuilder frame() {
    switch (in_.below(12)) {
      case 0:
      case 1:
        return FrameBuilder::read(in_.number(1), static_cast<std::uint8_t>(in_.below(18)));
      case 2:
      case 3:
        return FrameBuilder::ata(0x34, in_.number(1), static_cast<std::uint8_t>(in_.below(18)));
      case 4: {
        const std::uint8_t opcode = in_.byte();
        const std::uint64_t lba = in_.number(in_.chance(4) ? 6 : 1);
        return FrameBuilder::ata(opcode, lba, in_.byte()).feature(in_.byte());
      }
      case 5: {
        std::string text(in_.chance(8) ? 1000 : in_.below(40), 'x');
        if (!text.empty()) {
          text[0] = static_cast<char>(in_.byte() & 0x7FU);
        }
        return FrameBuilder::config(static_cast<ConfigCommand>(in_.below(8)), text);
      }
      case 6: {
        std::vector<protocol::MaskDirective> directives;
        for (const MacAddress& mac : macs()) {
          directives.push_back({static_cast<std::uint8_t>(in_.below(4)), mac});
        }
        return FrameBuilder::mask_edit(directives);
      }
      case 7:
        return FrameBuilder::reserve(static_cast<ReserveCommand>(in_.below(4)), macs());
      case 8:
        return FrameBuilder::smart(static_cast<std::uint8_t>(0xD0U + in_.below(12)))
            .byte(28, static_cast<std::uint8_t>(in_.below(8)));
      case 9: {
        std::vector<FrameBuilder::TrimEntry> entries;
        for (std::uint32_t n = in_.below(6); n > 0; --n) {
          entries.push_back({in_.number(1), static_cast<std::uint16_t>(in_.number(1))});
        }
        return FrameBuilder::trim(entries);
      }
      case 10:
        return FrameBuilder::ata((in_.byte() & 1U) != 0 ? 0xEA : 0xEF)
            .feature((in_.byte() & 1U) != 0 ? 0x82 : 0x02);
      default:
        return FrameBuilder::command(in_.byte());
    }
  }

  // Marks the data of a write with the export it is for. Everything else a frame carries stays out
  // of the range of the marks.
  static void mark_data(Bytes& bytes) {
    if (bytes.size() <= protocol::kAtaHeaderBytes || load_u8(bytes, 19) != 0 ||
        load_u8(bytes, 27) == 0x06) {
      return;
    }
    const std::uint8_t mark = load_be16(bytes, 16) == 7 && load_u8(bytes, 18) < kExports
                                  ? static_cast<std::uint8_t>(kMarker + load_u8(bytes, 18))
                                  : 0x11;
    std::fill(bytes.begin() + protocol::kAtaHeaderBytes, bytes.end(), std::byte{mark});
  }

  void play_frame() {
    FrameBuilder builder = frame();
    builder.address(address()).from(source()).tag(static_cast<std::uint32_t>(in_.number(1)) + 1);
    if (in_.chance(4)) {
      builder.from(kInitiatorA).tag(linux_.next(t_.now()).value);
    }
    const std::uint32_t way = in_.below(16);
    const PortId port{static_cast<std::uint8_t>(way == 1 ? 1 : 0)};
    builder.to(way == 0   ? MacAddress::broadcast()
               : way == 2 ? kInitiatorB
               : way == 1 ? kSecondMac
                          : kTargetMac);
    if (way == 3) {
      builder.unpadded();
    }
    Bytes bytes = builder.build();
    if (in_.chance(4)) {
      for (std::uint32_t n = in_.below(4); n > 0; --n) {
        const std::size_t at = in_.below(protocol::kAtaHeaderBytes);
        if (at < bytes.size()) {
          bytes[at] = std::byte{in_.byte()};
        }
      }
    }
    mark_data(bytes);
    if (in_.chance(16)) {
      bytes.resize(std::min<std::size_t>(bytes.size(), in_.number(2)));
    }
    const bool is_wildcard =
        bytes.size() >= 19 && (load_be16(bytes, 16) == 0xFFFF || load_u8(bytes, 18) == 0xFF);
    const auto replies = t_.answers(bytes, port);
    demand(replies.size() <= (is_wildcard ? kExports : 1), "one frame draws one answer");
    for (const SentFrame& reply : replies) {
      check_reply(reply);
    }
  }

  // What only our own initiators send.
  void play_hello() {
    protocol::Hello hello = hello_of(1 + in_.below(3), in_.byte());
    hello.capabilities = static_cast<std::uint16_t>(in_.chance(4) ? in_.below(4) : 3);
    const DeviceAddress where = address();
    Bytes bytes = hello_frame(hello_header().address(where).from(source()), hello);
    damage(bytes, 8);
    for (const SentFrame& reply : t_.answers(bytes)) {
      check_reply(reply);
      const auto answer = protocol::parse_hello(reply.bytes);
      if (answer && answer->kind == protocol::HelloKind::hello) {
        know(*answer, where);
      }
    }
  }

  void know(const protocol::Hello& answer, DeviceAddress where) {
    demand(answer.session != 0, "sessions have a number");
    for (const KnownSession& known : known_) {
      if (known.id == answer.session) {
        demand(known.address == where, "a session is of one export");
        return;
      }
    }
    known_.push_back({.id = answer.session,
                      .address = where,
                      .has_sequences = (answer.capabilities & 1U) != 0,
                      .has_crc = (answer.capabilities & 2U) != 0,
                      .low = answer.sequence_low});
  }

  // The request is a function of its sequence, most of the time: copies are copies.
  FrameBuilder sealed_request(std::uint32_t sequence) {
    if (in_.chance(4)) {
      return frame();
    }
    switch (sequence % 5U) {
      case 0:
        return FrameBuilder::ata(0xEA);
      case 1:
        return FrameBuilder::trim({{sequence % 16U, 2}});
      default:
        return FrameBuilder::ata(0x34, sequence % 16U, 1);
    }
  }

  void play_sealed() {
    if (known_.empty()) {
      play_hello();
      return;
    }
    KnownSession& session = known_[in_.below(static_cast<std::uint32_t>(known_.size()))];
    const std::uint32_t sequence = in_.chance(8) ? 0 : session.low - 2 + in_.below(12);
    session.low += in_.chance(4) ? in_.below(4) : 0;
    protocol::Seal seal{.has_crc = session.has_crc != in_.chance(32),
                        .session = in_.chance(16) ? session.id ^ 1U : session.id,
                        .sequence = sequence,
                        .sequence_low = session.low - (in_.chance(4) ? 1U : 0U)};
    const bool is_elsewhere = in_.chance(32);
    Bytes plain = sealed_request(sequence)
                      .address(is_elsewhere ? address() : session.address)
                      .from(in_.chance(4) ? source() : kInitiatorA);
    if (plain.size() < protocol::kAtaHeaderBytes) {
      return;
    }
    mark_data(plain);
    Bytes bytes = sealed(plain, seal);
    damage(bytes, 16);
    const auto replies = t_.answers(bytes);
    demand(replies.size() <= kExports, "one frame draws one answer");
    for (const SentFrame& reply : replies) {
      check_reply(reply);
    }
  }

  // One bit in so many frames.
  void damage(Bytes& bytes, std::uint32_t in) {
    if (in_.chance(in)) {
      bytes[in_.number(2) % bytes.size()] ^= static_cast<std::byte>(1U << in_.below(8));
    }
  }

  // Enough frames for the clock of a Linux host to be believed.
  void play_linux() {
    const std::size_t index = in_.below(kExports);
    for (int i = 0; i < 30; ++i) {
      t_.advance(Duration::milliseconds(50));
      t_.deliver(FrameBuilder::read(1)
                     .address(address_of(index))
                     .from(kInitiatorA)
                     .tag(linux_.next(t_.now()).value));
    }
  }

  void play_step() {
    switch (in_.below(16)) {
      case 0:
      case 1:
        finish_store();
        break;
      case 2: {
        ModelDisk& disk = t_.disk(ids_[in_.below(static_cast<std::uint32_t>(ids_.size()))]);
        in_.chance(3) ? disk.stop_holding() : disk.hold();
        break;
      }
      case 3:
        if (!t_.held_saves().empty()) {
          t_.finish_save(in_.chance(4) ? TargetHarness::Saved::no : TargetHarness::Saved::yes);
        }
        break;
      case 4:
        in_.chance(2) ? t_.hold_saves() : t_.stop_holding_saves();
        break;
      case 5: {
        constexpr std::array<std::int64_t, 5> kMilliseconds{0, 1, 100, 1'000, 31'000};
        t_.advance(Duration::milliseconds(kMilliseconds[in_.below(kMilliseconds.size())]));
        break;
      }
      case 6:
        change_port();
        break;
      case 7:
        administrate();
        break;
      case 8:
        play_hello();
        break;
      case 9:
      case 10:
      case 11:
        play_sealed();
        break;
      case 12:
        in_.chance(8) ? play_linux() : play_frame();
        break;
      default:
        play_frame();
        break;
    }
    for (const SentFrame& sent : t_.take_frames()) {
      check_reply(sent);
    }
  }

  void finish_store() {
    const ExportId id = ids_[in_.below(static_cast<std::uint32_t>(ids_.size()))];
    const std::size_t waiting = t_.disk(id).waiting();
    if (waiting == 0) {
      // Nobody asked for this one: no story is long enough for such a generation.
      const auto tag = static_cast<std::uint32_t>(in_.number(4)) | 0x80000000U;
      t_.core().handle_store_done(t_.now(), {.tag = StoreTag{tag}});
      t_.run();
      return;
    }
    const std::size_t index = in_.byte() % waiting;
    const std::uint32_t errc = in_.below(16);
    t_.finish(id, index, errc < 7 ? static_cast<StoreErrc>(errc) : StoreErrc::ok);
  }

  void change_port() {
    constexpr std::array<std::size_t, 5> kMtus{68, 576, 1500, 4118, 9000};
    const bool is_second = in_.chance(3);
    const std::uint8_t shape = in_.byte();
    t_.set_port(PortId{static_cast<std::uint8_t>(is_second ? 1 : 0)},
                {.mac = is_second ? kSecondMac : kTargetMac,
                 .mtu_bytes = kMtus[shape % kMtus.size()],
                 .link_up = (shape & 0xC0U) != 0xC0U});
  }

  void administrate() {
    const std::size_t index = in_.below(kExports);
    const target::Export* subject = export_at(index);
    if (subject == nullptr) {
      add(index);
      return;
    }
    const ExportId id = subject->id;
    switch (in_.below(8)) {
      case 0:
        (void)t_.core().remove_export(t_.now(), id);
        break;
      case 1:
        (void)t_.core().set_online(t_.now(), id, TargetCore::Online::no);
        break;
      case 2:
      case 3:
        (void)t_.core().set_online(t_.now(), id, TargetCore::Online::yes);
        break;
      case 4: {
        const std::uint64_t sectors = 1 + in_.byte();
        t_.disk(id).set_sector_count(std::max(t_.disk(id).sector_count(), sectors));
        (void)t_.core().resize(id, sectors);
        break;
      }
      case 5:
        (void)t_.core().clear_failure(id);
        break;
      case 6:
        (void)t_.core().save_state(t_.now(), id);
        break;
      default: {
        ExportSettings settings = subject->settings;
        settings.allow_policy =
            in_.chance(2) ? target::AllowPolicy::listed : target::AllowPolicy::any;
        settings.allow = {kInitiatorA};
        (void)t_.core().update_settings(id, settings);
        break;
      }
    }
    t_.run();
  }

  void remember_origin(ConstByteSpan memory) {
    const auto header = protocol::parse_header(memory);
    if (!header) {
      return;
    }
    const target::Export* subject = t_.core().find(header->address);
    Origin& origin = origins_[memory.data()];
    origin = {
        .source = header->source,
        .address = header->address,
        .may_write = subject != nullptr && subject->settings.mode != WriteMode::read_only &&
                     subject->state == target::ExportState::online &&
                     !header->destination.is_group() && !header->source.is_group() &&
                     target::may_use(subject->settings, subject->persistent.mask, header->source)};
    const auto offset = protocol::seal_offset(memory.size());
    if (header->command == 0 && offset && load_be16(memory, *offset) == protocol::kSealMagic) {
      const auto seal = protocol::parse_seal(memory);
      origin.may_write = origin.may_write && seal.has_value();
      origin.session = seal ? seal->session : 0;
      origin.sequence = seal ? seal->sequence : 0;
    }
  }

  // Nothing that is damaged, of another export or of an unknown session is executed, and whatever
  // has a sequence is executed once.
  void check_sealed_write(const Origin& origin) {
    const auto session = std::find_if(known_.begin(), known_.end(), [&](const KnownSession& known) {
      return known.id == origin.session;
    });
    demand(session != known_.end(), "sealed writes are of a session that was given out");
    demand(session->address == origin.address, "sealed writes are of the export's own session");
    if (session->has_sequences) {
      demand(origin.sequence != 0, "data without a sequence is not written");
      demand(executed_.insert({origin.session, origin.sequence}).second,
             "a sequence is executed once");
    }
  }

  void check_store_op(ExportId id, const StoreOp& op) {
    const target::Export* subject = t_.core().find(id);
    demand(subject != nullptr, "operations are for exports that exist");
    demand(op.offset_bytes + op.length_bytes <= subject->settings.sector_count * kSectorBytes,
           "operations lie inside the disk as it is now");
    const bool is_change = op.kind != StoreOpKind::read && op.kind != StoreOpKind::flush;
    if (!is_change) {
      return;
    }
    demand(subject->settings.mode != WriteMode::read_only, "a read-only disk is not changed");
    demand(subject->health != target::ExportHealth::failed, "a failed disk is not changed");
    if (op.kind != StoreOpKind::write) {
      return;
    }
    demand(
        subject->settings.mode != WriteMode::write_through || op.durability == Durability::stable,
        "writing through is durable");
    const auto found = origins_.find(op.data.data() - protocol::kAtaHeaderBytes);
    demand(found != origins_.end(), "what is written comes from a received frame");
    const Origin& origin = found->second;
    demand(origin.may_write, "only who may use an export writes to it");
    demand(origin.address == subject->settings.address, "a write goes where it was sent");
    if (origin.session != 0) {
      check_sealed_write(origin);
    } else {
      demand(t_.now() >= subject->hold_plain_writes_until, "plain writes wait after a start");
    }
    const auto& holders = subject->persistent.reservation;
    demand(holders.empty() || target::contains(holders, origin.source),
           "only holders of a reservation write");
  }

  // Nothing of another export and nothing of an earlier frame. What belongs to nobody comes in
  // runs.
  static void check_reply(const SentFrame& reply) {
    if (!carries_its_own(reply)) {
      std::fputs(protocol::dissect_fields(reply.bytes,
                                          {.payload = protocol::PayloadDetail::hex, .request = {}})
                     .c_str(),
                 stderr);
      demand(false, "a reply carries its own export's data and nothing of an earlier frame");
    }
  }

  static bool carries_its_own(const SentFrame& reply) {
    const auto header = protocol::parse_header(reply.bytes);
    demand(header.has_value(), "replies have a header");
    const std::size_t own = header->address.slot.value;
    std::size_t run = 0;
    for (std::size_t i = protocol::kHeaderBytes; i < reply.bytes.size(); ++i) {
      run = reply.bytes[i] == reply.bytes[i - 1] ? run + 1 : 1;
      const std::uint8_t value = load_u8(reply.bytes, i);
      const bool is_mark = value >= kMarker && value < kMarker + kExports;
      if (run >= 16 && (value == kDirt || (is_mark && value - kMarker != static_cast<int>(own)))) {
        return false;
      }
    }
    return true;
  }

  void check() {
    const std::string problems = t_.problems();
    if (!problems.empty()) {
      std::fputs(problems.c_str(), stderr);
    }
    demand(problems.empty(), "the harness has no complaints");
    std::uint32_t of_exports = 0;
    for (const target::Export* subject : t_.core().exports()) {
      of_exports += subject->stats.in_flight;
    }
    std::uint32_t of_initiators = 0;
    for (const target::Initiator& initiator : t_.core().initiators()) {
      of_initiators += initiator.in_flight;
    }
    demand(of_exports == t_.core().requests_in_flight(), "exports count what is in flight");
    demand(of_initiators <= of_exports, "initiators count what is in flight");
    demand(t_.core().requests_in_flight() <= 16, "requests are bounded");
  }

  // Everything that was begun ends.
  void finish() {
    t_.set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = 9000, .link_up = true});
    t_.stop_holding_saves();
    while (!t_.held_saves().empty()) {
      t_.finish_save();
    }
    for (const ExportId id : ids_) {
      t_.disk(id).stop_holding();
      t_.finish_all(id);
    }
    t_.advance(Duration::seconds(20));
    const std::string unfinished = t_.unfinished();
    if (!unfinished.empty()) {
      std::fputs(unfinished.c_str(), stderr);
    }
    demand(unfinished.empty(), "everything that was begun ends");
  }

  Input in_;
  TargetHarness t_;
  std::vector<ExportId> ids_;
  std::map<const std::byte*, Origin> origins_;
  LinuxHost linux_{250};
  std::vector<KnownSession> known_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> executed_;  // session and sequence
};

}  // namespace
}  // namespace aoe::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  aoe::test::Story(data, size).play();
  return 0;
}
