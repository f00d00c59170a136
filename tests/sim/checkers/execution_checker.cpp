#include "sim/checkers/execution_checker.h"

#include "base/check.h"

#include <optional>

namespace aoe::sim {
namespace {

constexpr std::uint64_t kMaskBits = 64;

constexpr std::uint64_t mask_of(std::uint32_t sectors) {
  return sectors >= kMaskBits ? ~std::uint64_t{0} : (std::uint64_t{1} << sectors) - 1;
}

constexpr std::uint64_t index_of(SectorValue value) {
  return value.raw & ((std::uint64_t{1} << SectorValue::kIndexBits) - 1);
}

}  // namespace

void ExecutionChecker::add_writer(std::uint32_t writer, Promise promise) {
  AOE_CHECK(writer == writers_.size() + 1, "writers are numbered in order");
  writers_.push_back({.promise = promise, .ops = {}});
}

void ExecutionChecker::begin(std::uint32_t writer, std::uint64_t op, std::uint32_t sectors) {
  std::vector<Op>& ops = writers_[writer - 1].ops;
  AOE_CHECK(op == ops.size() && sectors <= kMaskBits, "writes are numbered in order");
  ops.push_back({.sectors = static_cast<std::uint8_t>(sectors)});
}

void ExecutionChecker::acknowledge(Instant now, std::uint32_t writer, std::uint64_t op) {
  Op& done = writers_[writer - 1].ops[op];
  done.state = State::acknowledged;
  if (done.executed != mask_of(done.sectors)) {
    violations_.add(Rule::wrong_answer, now,
                    to_string(SectorValue::make(writer, op, 0)) +
                        " was acknowledged and not executed, or not all of it");
  }
}

void ExecutionChecker::give_up(std::uint32_t writer, std::uint64_t op) {
  writers_[writer - 1].ops[op].state = State::given_up;
}

void ExecutionChecker::on_plain_copy(SectorValue value) {
  Op* op = find(value);
  if (op != nullptr && writers_[value.writer() - 1].promise == Promise::exactly_once) {
    op->went_plain = true;
    ++counters_.plain_copies;
  }
}

void ExecutionChecker::on_target_death(std::uint32_t disk) {
  if (lives_.size() <= disk) {
    lives_.resize(disk + 1);
  }
  ++lives_[disk];
}

ExecutionChecker::Op* ExecutionChecker::find(SectorValue value) {
  if (value.writer() == 0 || value.writer() > writers_.size()) {
    return nullptr;
  }
  std::vector<Op>& ops = writers_[value.writer() - 1].ops;
  return value.op() < ops.size() ? &ops[value.op()] : nullptr;
}

void ExecutionChecker::violate(Rule rule, Instant now, SectorPlace place, SectorValue value,
                               const std::string& what) {
  violations_.add(rule, now,
                  "disk " + std::to_string(place.disk) + " sector " + std::to_string(place.lba) +
                      ": " + to_string(value) + " " + what);
}

void ExecutionChecker::on_change(Instant now, std::uint32_t disk_id, const SimDisk& disk,
                                 const StoreOp& op) {
  if (op.kind != StoreOpKind::write) {
    return;
  }
  for (std::uint64_t i = 0; i < op.length_bytes / kSectorBytes; ++i) {
    const SectorPlace place{.disk = disk_id, .lba = op.offset_bytes / kSectorBytes + i};
    const ConstByteSpan data = op.data.subspan(i * kSectorBytes, kSectorBytes);
    const std::optional<SectorValue> value = read_sector(data, place);
    if (!value) {
      violations_.add(Rule::wrong_answer, now,
                      "what is written to disk " + std::to_string(disk_id) + " sector " +
                          std::to_string(place.lba) + " " + describe_bad_sector(data, place));
      continue;
    }
    if (!value->is_zero()) {
      const SectorValue before{load_le64(disk.sector(place.lba), 0)};
      execute(now, place, *value, before);
    }
  }
}

void ExecutionChecker::execute(Instant now, SectorPlace place, SectorValue value,
                               SectorValue before) {
  ++counters_.sectors;
  Op* op = find(value);
  if (op == nullptr) {
    violate(Rule::wrong_answer, now, place, value, "was never made");
    return;
  }
  const std::uint32_t life = place.disk < lives_.size() ? lives_[place.disk] : 0;
  if (op->life != life) {
    op->life = life;
    op->in_life = 0;
  }
  const std::uint64_t bit = std::uint64_t{1} << index_of(value);
  const bool is_repeated = (op->in_life & bit) != 0;
  op->in_life |= bit;
  op->executed |= bit;
  const bool is_strict =
      writers_[value.writer() - 1].promise == Promise::exactly_once && !op->went_plain;
  if (before.writer() == value.writer() && before.op() > value.op()) {
    violate(Rule::stale_execution, now, place, value,
            "is executed over " + to_string(before) + ", which is newer");
  } else if (op->state == State::acknowledged) {
    ++counters_.after_answer;
    if (is_strict || before != value) {
      violate(Rule::stale_execution, now, place, value,
              "is executed after it was acknowledged, over " + to_string(before));
    }
  } else if (is_repeated) {
    ++counters_.repeated;
    if (is_strict) {
      violate(Rule::exactly_once, now, place, value, "is executed twice");
    }
  }
}

}  // namespace aoe::sim
