#include "initiator/tag_table.h"

#include "base/check.h"

#include <bit>

namespace aoe::initiator {
namespace {

constexpr std::uint32_t kUserSpaceBit = 0x80000000;
constexpr std::uint32_t kTagBits = 31;

}  // namespace

TagTable::TagTable(const Options& options)
    : start_(options.start & ~kUserSpaceBit),
      rest_(options.rest),
      slot_bits_(static_cast<std::uint32_t>(std::countr_zero(options.slots))),
      slots_(options.slots),
      free_(options.slots) {
  AOE_CHECK(std::has_single_bit(options.slots) && slot_bits_ <= 20, "slots is a power of two");
  const std::uint32_t bits =
      options.generation_bits == 0 ? kTagBits - slot_bits_ : options.generation_bits;
  AOE_CHECK(bits >= 1 && bits <= kTagBits - slot_bits_, "slot and generation fit a tag");
  generation_count_ = 1U << bits;
  for (std::uint32_t slot = 0; slot < options.slots; ++slot) {
    free_.push(slot);
  }
}

std::uint32_t TagTable::raw(Tag tag) const {
  return (tag.value - start_) & ~kUserSpaceBit;
}

Tag TagTable::tag_of(std::uint32_t slot) const {
  return Tag{kUserSpaceBit | ((slots_[slot].generation << slot_bits_ | slot) + start_)};
}

bool TagTable::try_advance(Slot& slot, Instant now) {
  const std::uint32_t half = generation_count_ / 2;
  const std::uint32_t next = (slot.generation + 1) & (generation_count_ - 1);
  if (next == 0 || next == half) {
    if (slot.half_entered != Instant{} && now - slot.half_entered < rest_) {
      return false;
    }
    slot.half_entered = now;
  }
  wraps_ += next == 0 ? 1U : 0U;
  slot.generation = next;
  return true;
}

std::optional<Tag> TagTable::acquire(Instant now) {
  for (std::size_t tries = free_.size(); tries > 0; --tries) {
    const std::uint32_t index = free_.pop();
    Slot& slot = slots_[index];
    if (!try_advance(slot, now)) {
      free_.push(index);
      continue;
    }
    slot.used = true;
    ++in_use_;
    return tag_of(index);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> TagTable::find(Tag tag) const {
  const std::uint32_t value = raw(tag);
  const std::uint32_t index = value & (slots() - 1);
  if ((tag.value & kUserSpaceBit) == 0 || !slots_[index].used ||
      slots_[index].generation != value >> slot_bits_) {
    return std::nullopt;
  }
  return index;
}

void TagTable::release(Tag tag) {
  const std::optional<std::uint32_t> index = find(tag);
  AOE_CHECK(index.has_value(), "only a tag in use is released");
  slots_[*index].used = false;
  --in_use_;
  free_.push(*index);
}

}  // namespace aoe::initiator
