#include "target/export_table.h"

#include "base/check.h"

#include <algorithm>

namespace aoe::target {

ExportTable::ExportTable(std::uint16_t exports_max) : places_(exports_max) {
  for (std::uint32_t i = 0; i < exports_max; ++i) {
    places_[i].id = ExportId{i};
  }
  sorted_.reserve(exports_max);
}

Result<Export*> ExportTable::add(const ExportSettings& settings) {
  const std::size_t at = position(settings.address);
  if (at < sorted_.size() && sorted_[at]->settings.address == settings.address) {
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
  sorted_.insert(sorted_.begin() + static_cast<std::ptrdiff_t>(at), &*place);
  return &*place;
}

void ExportTable::remove(Export& gone) {
  AOE_CHECK(gone.in_use, "an export is removed once");
  const std::size_t at = position(gone.settings.address);
  AOE_CHECK(at < sorted_.size() && sorted_[at] == &gone, "an export in use is in the order");
  sorted_.erase(sorted_.begin() + static_cast<std::ptrdiff_t>(at));
  gone.in_use = false;
}

Export* ExportTable::find(ExportId id) {
  const std::size_t index = id.value & ((1U << kIndexBits) - 1U);
  if (index >= places_.size() || !places_[index].in_use || places_[index].id != id) {
    return nullptr;
  }
  return &places_[index];
}

Export* ExportTable::find(DeviceAddress address) {
  const std::size_t at = position(address);
  return at < sorted_.size() && sorted_[at]->settings.address == address ? sorted_[at] : nullptr;
}

std::size_t ExportTable::position(DeviceAddress address) const {
  const auto at = std::lower_bound(
      sorted_.begin(), sorted_.end(), address,
      [](const Export* e, DeviceAddress wanted) { return e->settings.address < wanted; });
  return static_cast<std::size_t>(at - sorted_.begin());
}

}  // namespace aoe::target
