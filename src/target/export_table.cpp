#include "target/export_table.h"

#include "base/check.h"
#include "base/prefetch.h"

#include <algorithm>
#include <bit>
#include <span>

namespace aoe::target {

ExportTable::ExportTable(std::uint16_t exports_max)
    : places_(exports_max), ways_(std::bit_ceil(std::size_t{2} * exports_max + 1)) {
  for (std::uint32_t i = 0; i < exports_max; ++i) {
    places_[i].id = ExportId{i};
  }
  sorted_.reserve(exports_max);
}

Result<Export*> ExportTable::add(const ExportSettings& settings) {
  if (find(settings.address) != nullptr) {
    return fail_with(Errc::already_exists, 0,
                     to_string(settings.address) + ": export: the address is in use here already");
  }
  const auto place =
      std::find_if(places_.begin(), places_.end(), [](const Export& e) { return !e.in_use; });
  if (place == places_.end()) {
    return fail_with(Errc::no_space, 0,
                     to_string(settings.address) + ": export: the limit of " +
                         std::to_string(places_.size()) + " exports is reached");
  }
  const ExportId id{place->id.value + (1U << kIndexBits)};
  *place = Export{};
  place->id = id;
  place->in_use = true;
  place->settings = settings;
  const auto at = std::upper_bound(
      sorted_.begin(), sorted_.end(), settings.address,
      [](DeviceAddress wanted, const Export* e) { return wanted < e->settings.address; });
  sorted_.insert(at, &*place);
  lead_to(*place);
  return &*place;
}

void ExportTable::remove(Export& gone) {
  AOE_CHECK(gone.in_use, "an export is removed once");
  const auto at = std::find(sorted_.begin(), sorted_.end(), &gone);
  AOE_CHECK(at != sorted_.end(), "an export in use is in the order");
  sorted_.erase(at);
  gone.in_use = false;
  make_ways();
}

Export* ExportTable::find(ExportId id) {
  const std::size_t index = id.value & ((1U << kIndexBits) - 1U);
  if (index >= places_.size() || !places_[index].in_use || places_[index].id != id) {
    return nullptr;
  }
  return &places_[index];
}

Export* ExportTable::find(DeviceAddress address) {
  const Way& way = ways_[way_to(address)];
  return way.place == kFree ? nullptr : &places_[way.place];
}

void ExportTable::prefetch_way(DeviceAddress address) const {
  prefetch_line(&ways_[first_way_to(address)]);
}

void ExportTable::prefetch(DeviceAddress address) const {
  const Way& way = ways_[way_to(address)];
  if (way.place == kFree) {
    return;
  }
  const Export& subject = places_[way.place];
  prefetch_line(&subject);
  const void* const first = &subject.persistent.mask;
  const void* const end = &subject.settings.allow;
  for (const auto* at = static_cast<const std::byte*>(first); at < end; at += kCacheLineBytes) {
    prefetch_line(at);
  }
}

std::size_t ExportTable::first_way_to(DeviceAddress address) const {
  // Fibonacci hashing: addresses lie side by side.
  constexpr std::uint32_t kGolden = 0x9E3779B1U;
  const std::uint32_t key = std::uint32_t{address.shelf.value} << 8U | address.slot.value;
  return (key * kGolden >> 8U) & (ways_.size() - 1);
}

std::size_t ExportTable::way_to(DeviceAddress address) const {
  const std::size_t mask = ways_.size() - 1;
  std::size_t at = first_way_to(address);
  while (ways_[at].place != kFree && ways_[at].address != address) {
    at = (at + 1) & mask;
  }
  return at;
}

void ExportTable::make_ways() {
  std::fill(ways_.begin(), ways_.end(), Way{});
  for (const Export* subject : sorted_) {
    lead_to(*subject);
  }
}

void ExportTable::lead_to(const Export& subject) {
  Way& way = ways_[way_to(subject.settings.address)];
  way.address = subject.settings.address;
  way.place = subject.id.value & ((1U << kIndexBits) - 1U);
}

}  // namespace aoe::target
