#include "compat/aoetools/san_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace aoe::compat::aoetools {
namespace {

constexpr std::size_t kOverheadBytes = 36;  // as the Linux driver counts
constexpr const char* kRule = "==========================================\n";

// Interfaces by name; the paths of each the last address first, as aoe-sancheck has them.
void sort_all(std::vector<SanInterface>& interfaces) {
  std::sort(interfaces.begin(), interfaces.end(),
            [](const SanInterface& a, const SanInterface& b) { return a.name < b.name; });
  for (SanInterface& interface : interfaces) {
    std::sort(interface.paths.begin(), interface.paths.end(),
              [](const SanPath& a, const SanPath& b) {
                return std::tie(b.address, b.mac) < std::tie(a.address, a.mac);
              });
  }
}

// Of one device.
class DeviceReport {
 public:
  DeviceReport(std::span<const SanInterface> interfaces, DeviceAddress address)
      : interfaces_(interfaces), address_(address) {
    for (const SanInterface& interface : interfaces) {
      bool is_found = false;
      for (const SanPath& path : interface.paths) {
        if (path.address == address) {
          is_found = true;
          macs_.insert(path.mac);
          sectors_ = path.sectors_offered;
        }
      }
      if (is_found) {
        mtu_bytes_ = std::max(mtu_bytes_, interface.mtu_bytes);
        names_ += (locals_ == 0 ? "" : ",") + interface.name;
        ++locals_;
      }
    }
  }

  [[nodiscard]] std::string line() const {
    return fmt::format("{}\t{:4}\t{}\t{}\n", to_string(address_), macs_.size(),
                       sectors_ * kSectorBytes, names_);
  }

  [[nodiscard]] std::vector<std::string> advices() const {
    std::vector<std::string> lines;
    if (macs_.size() != locals_) {
      lines.emplace_back("   Mismatched number of local vs remote interfaces\n");
    }
    for (const SanInterface& interface : interfaces_) {
      add_advices(interface, lines);
    }
    return lines;
  }

 private:
  void add_advices(const SanInterface& interface, std::vector<std::string>& lines) const {
    bool is_found = false;
    for (const SanPath& path : interface.paths) {
      if (path.address != address_) {
        continue;
      }
      is_found = true;
      if (path.sectors_passed < sectors_tried(interface.mtu_bytes)) {
        lines.push_back(fmt::format("   The path {}->{} is only capable of {} byte payloads\n",
                                    interface.name, to_bare_string(path.mac),
                                    path.sectors_passed * kSectorBytes));
      }
    }
    if (!is_found) {
      return;
    }
    if (interface.mtu_bytes < sectors_ * kSectorBytes + kOverheadBytes) {
      lines.push_back(
          fmt::format("   {}: MTU ({}) not set optimally for device's capable payload\n",
                      interface.name, interface.mtu_bytes));
    }
    if (interface.mtu_bytes < mtu_bytes_) {
      lines.push_back(fmt::format("   {}: MTU different from other interfaces ({} vs. {})\n",
                                  interface.name, interface.mtu_bytes, mtu_bytes_));
    }
  }

  std::span<const SanInterface> interfaces_;
  DeviceAddress address_;
  std::set<MacAddress> macs_;
  std::string names_;
  std::size_t locals_ = 0;
  std::size_t mtu_bytes_ = 0;
  std::uint32_t sectors_ = 0;
};

}  // namespace

std::uint32_t sectors_tried(std::size_t mtu_bytes) {
  return mtu_bytes < kOverheadBytes
             ? 0
             : static_cast<std::uint32_t>((mtu_bytes - kOverheadBytes) / kSectorBytes);
}

SanReport san_report(std::vector<SanInterface> interfaces) {
  sort_all(interfaces);
  SanReport report;
  report.text = fmt::format("{0}INTERFACE SUMMARY\n{0}Name\tStatus\tMTU\tPCI ID\n", kRule);
  std::set<DeviceAddress> devices;
  for (const SanInterface& interface : interfaces) {
    report.text += fmt::format("{}\t{}\t{}\t{}\n", interface.name, interface.up ? "UP" : "DN",
                               interface.mtu_bytes, interface.pci_id);
    for (const SanPath& path : interface.paths) {
      devices.insert(path.address);
    }
  }
  report.text +=
      fmt::format("{0}DEVICE SUMMARY\n{0}Device\tMacs\tPayload\tLocal Interfaces\n", kRule);
  for (const DeviceAddress address : devices) {
    const DeviceReport device(interfaces, address);
    report.text += device.line();
    for (const std::string& advice : device.advices()) {
      report.text += advice;
      ++report.advices;
    }
  }
  report.devices = static_cast<std::uint32_t>(devices.size());
  return report;
}

std::string path_list(std::vector<SanInterface> interfaces) {
  sort_all(interfaces);
  std::string text;
  for (const SanInterface& interface : interfaces) {
    text += interface.name + ":\n";
    for (const SanPath& path : interface.paths) {
      text += fmt::format("{} {} {}\n", to_string(path.address), to_bare_string(path.mac),
                          path.sectors_passed);
    }
    text += '\n';
  }
  return text;
}

}  // namespace aoe::compat::aoetools
