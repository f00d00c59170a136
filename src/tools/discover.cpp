#include "tools/discover.h"

#include "tools/command_line.h"
#include "tools/network.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace aoe::tools {
namespace {

// 0 on the wire stands for 2: the field was reserved until AoEr10.
unsigned sectors_of(const client::DiscoveredTarget& target) {
  return target.sector_count == 0 ? 2 : target.sector_count;
}

Json to_json(const client::DiscoveredTarget& target) {
  return {
      {"address", to_string(target.address)},
      {"shelf", target.address.shelf.value},
      {"slot", target.address.slot.value},
      {"interface", target.interface},
      {"mac", to_string(target.mac)},
      {"buffers", target.buffer_count},
      {"firmware_version", target.firmware_version},
      {"sectors_per_frame", sectors_of(target)},
      {"config_string", target.config_string},
      {"config_string_hex", hex_text(target.config_string)},
  };
}

class DiscoverCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Look for this device only (e7.1, or a URI)"}, device_,
                    Needed::no);
    network_.define_interfaces(line);
    line.option({"--wait", "TIME", "How long to listen for answers (default 1s)"}, wait_);
    line.output_option(output_);
    line.epilogue(
        "A target stands once for every way to it. The exit status is 4 when none answers.");
  }

  Result<ExitStatus> run() override {
    client::DiscoverOptions options{.address = {}, .wait = wait_};
    client::DeviceUri uri;
    if (!device_.empty()) {
      AOE_TRY_ASSIGN(uri, client::parse_device_uri(device_));
      options.address = uri.address;
    }
    AOE_TRY_ASSIGN(const auto session, open_session(network_, device_.empty() ? nullptr : &uri));
    const auto targets = session->discover(options);
    AOE_TRY(print_out(output_ == OutputFormat::json ? json(targets) : table(targets)));
    if (targets.empty()) {
      print_error(fmt::format("aoe: discover: {}: no answer on {} within {}\n",
                              device_.empty() ? "any device" : device_, interfaces_text(*session),
                              duration_text(wait_)));
      return ExitStatus::not_found;
    }
    return ExitStatus::ok;
  }

 private:
  [[nodiscard]] static std::string json(const std::vector<client::DiscoveredTarget>& targets) {
    Json list = Json::array();
    for (const auto& target : targets) {
      list.push_back(to_json(target));
    }
    return json_document({{"targets", std::move(list)}});
  }

  [[nodiscard]] std::string table(const std::vector<client::DiscoveredTarget>& targets) const {
    if (targets.empty()) {
      return "";
    }
    Table table({{"DEVICE"},
                 {"INTERFACE"},
                 {"MAC"},
                 {"BUFFERS", Align::right},
                 {"SECTORS", Align::right},
                 {"FIRMWARE", Align::right, true},
                 {"CONFIG"}});
    for (const auto& target : targets) {
      table.add_row({to_string(target.address), target.interface, to_string(target.mac),
                     std::to_string(target.buffer_count), std::to_string(sectors_of(target)),
                     fmt::format("{:04x}", target.firmware_version),
                     printable_text(target.config_string)});
    }
    return table.layout(output_);
  }

  NetworkOptions network_;
  std::string device_;
  Duration wait_ = Duration::seconds(1);
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::unique_ptr<Command> make_discover_command() {
  return std::make_unique<DiscoverCommand>();
}

}  // namespace aoe::tools
