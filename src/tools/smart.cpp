#include "tools/smart.h"

#include "protocol/ata_command.h"
#include "protocol/ata_registers.h"
#include "protocol/ata_smart.h"
#include "tools/command_line.h"
#include "tools/network.h"

#include <fmt/format.h>

#include <string>

namespace aoe::tools {
namespace {

using protocol::SmartFeature;

// The signature in LBA bytes 1 and 2 (ATA8-ACS 7.52), and what RETURN STATUS changes it to when a
// threshold is exceeded.
constexpr std::uint8_t kSignatureMiddle = 0x4F;
constexpr std::uint8_t kSignatureHigh = 0xC2;
constexpr std::uint8_t kExceededMiddle = 0xF4;
constexpr std::uint8_t kExceededHigh = 0x2C;

std::string self_test_kind(std::uint8_t kind) {
  switch (static_cast<protocol::SmartTestKind>(kind)) {
    case protocol::SmartTestKind::short_test:
      return "short";
    case protocol::SmartTestKind::extended_test:
      return "extended";
    case protocol::SmartTestKind::abort:
      break;
  }
  return fmt::format("{:02x}", kind);
}

// "passed", "running, 40 % left", "code 5"
std::string self_test_status(std::uint8_t status) {
  using protocol::SmartTestStatus;
  const unsigned percent_left = (status & 0x0FU) * 10;
  switch (protocol::smart_test_status(status)) {
    case SmartTestStatus::passed:
      return "passed";
    case SmartTestStatus::aborted:
      return fmt::format("aborted, {} % left", percent_left);
    case SmartTestStatus::interrupted:
      return fmt::format("interrupted, {} % left", percent_left);
    case SmartTestStatus::read_failed:
      return "cannot read";
    case SmartTestStatus::running:
      return fmt::format("running, {} % left", percent_left);
  }
  return fmt::format("code {}", status >> 4U);
}

class SmartCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Device (e7.1, or a URI)"}, device_, Needed::yes);
    line.positional_choice({"ACTION", "", "What to read (default status)"}, action_,
                           {"status", "data", "log", "tests", "test"}, Needed::no);
    line.option_choice({"--kind", "KIND", "With test: short, extended or abort (default short)"},
                       kind_, {"short", "extended", "abort"});
    line.option({"--log", "ADDRESS", "With log: which one (default 0, the directory of logs)"},
                log_address_);
    line.option({"--sectors", "N", "With log: how many sectors of it (default 1)"}, log_sectors_);
    network_.define(line);
    line.output_option(output_);
    line.epilogue(
        "status ends with exit status 1 when the disk says that it is failing. test begins a "
        "self-test,\nwhich goes on by itself; tests shows the log of them.");
  }

  Result<ExitStatus> run() override {
    constexpr std::uint64_t kByteMax = 255;
    if (log_address_ > kByteMax || log_sectors_ == 0 || log_sectors_ > kByteMax) {
      return fail_with(Errc::invalid_argument, 0,
                       "smart: log: an address is 0 to 255, and 1 to 255 sectors can be read");
    }
    AOE_TRY_ASSIGN(contact_, find_device(device_, network_));
    if (action_ == "data") {
      return print_data();
    }
    if (action_ == "test") {
      return start_test();
    }
    if (action_ == "tests") {
      return print_tests();
    }
    return action_ == "log" ? print_log() : print_status();
  }

 private:
  struct SmartRequest {
    SmartFeature feature = SmartFeature::return_status;
    std::uint8_t lba_low = 0;
    std::uint8_t sectors = 0;
  };

  Result<client::AtaReply> exchange(const SmartRequest& smart) const {
    client::AtaRequest request;
    request.registers.feature_error = static_cast<std::uint8_t>(smart.feature);
    request.registers.sector_count = smart.sectors;
    request.registers.command_status = static_cast<std::uint8_t>(protocol::AtaOp::smart);
    request.registers.lba = {smart.lba_low, kSignatureMiddle, kSignatureHigh, 0, 0, 0};
    request.data_in_bytes = std::size_t{smart.sectors} * kSectorBytes;
    AOE_TRY_ASSIGN(auto reply,
                   contact_.session->ata(contact_.peer, request, contact_.exchange_options()));
    const protocol::AtaOutcome outcome{reply.registers.command_status,
                                       reply.registers.feature_error};
    if (outcome.is_failure()) {
      return fail_with(
          (outcome.error & protocol::kErrorAborted) != 0 ? Errc::unsupported : Errc::io, 0,
          fmt::format("{}: smart {}: the disk answered status {:02x} error {:02x} (no SMART, or "
                      "not this part of it)",
                      to_string(contact_.peer.address), action_, outcome.status, outcome.error));
    }
    return reply;
  }

  Result<ExitStatus> print_status() const {
    AOE_TRY_ASSIGN(const auto reply, exchange({}));
    const bool healthy =
        reply.registers.lba[1] == kSignatureMiddle && reply.registers.lba[2] == kSignatureHigh;
    const bool failing =
        reply.registers.lba[1] == kExceededMiddle && reply.registers.lba[2] == kExceededHigh;
    const std::string status = healthy ? "healthy" : failing ? "failing" : "unknown";
    AOE_TRY(print_out(
        output_ == OutputFormat::json
            ? json_document({{"address", to_string(contact_.peer.address)}, {"status", status}})
            : status + "\n"));
    return healthy ? ExitStatus::ok : ExitStatus::failed;
  }

  Result<ExitStatus> print_data() const {
    AOE_TRY_ASSIGN(const auto reply, exchange({SmartFeature::read_data, 0, 1}));
    const ConstByteSpan data = reply.data;
    const protocol::SmartView view = protocol::parse_smart_data(data);
    const bool checksum_ok = view.checksum == protocol::SmartChecksum::valid;
    Json attributes = Json::array();
    Table table({{"ID", Align::right},
                 {"NAME"},
                 {"FLAGS"},
                 {"VALUE", Align::right},
                 {"WORST", Align::right},
                 {"RAW", Align::right}});
    for (std::size_t i = 0; i < view.attribute_count; ++i) {
      const protocol::SmartAttribute& attribute = view.attributes[i];
      attributes.push_back({{"id", attribute.id},
                            {"name", protocol::smart_attribute_name(attribute.id)},
                            {"flags", attribute.flags},
                            {"value", attribute.current},
                            {"worst", attribute.worst},
                            {"raw", attribute.raw}});
      table.add_row({std::to_string(attribute.id), protocol::smart_attribute_name(attribute.id),
                     fmt::format("{:04x}", attribute.flags), std::to_string(attribute.current),
                     std::to_string(attribute.worst), std::to_string(attribute.raw)});
    }
    if (output_ == OutputFormat::json) {
      AOE_TRY(print_out(json_document({{"address", to_string(contact_.peer.address)},
                                       {"attributes", std::move(attributes)},
                                       {"self_test_status", view.data.self_test_status},
                                       {"checksum_ok", checksum_ok},
                                       {"data_hex", hex_text(as_text(data))}})));
      return ExitStatus::ok;
    }
    FieldList fields;
    fields.add("revision", std::to_string(load_le16(data, 0)));
    fields.add("self-test status", fmt::format("{:02x}", view.data.self_test_status));
    fields.add("checksum", checksum_ok ? "valid" : "invalid");
    std::string text = fields.layout();
    text += table.row_count() == 0 ? "no attributes\n" : table.layout(output_);
    if (output_ == OutputFormat::wide) {
      text += hex_dump(as_text(data));
    }
    AOE_TRY(print_out(text));
    return ExitStatus::ok;
  }

  Result<ExitStatus> print_log() const {
    AOE_TRY_ASSIGN(const auto reply,
                   exchange({SmartFeature::read_log, static_cast<std::uint8_t>(log_address_),
                             static_cast<std::uint8_t>(log_sectors_)}));
    const std::string_view data = as_text(reply.data);
    AOE_TRY(print_out(output_ == OutputFormat::json
                          ? json_document({{"address", to_string(contact_.peer.address)},
                                           {"log", log_address_},
                                           {"data_hex", hex_text(data)}})
                          : hex_dump(data)));
    return ExitStatus::ok;
  }

  Result<ExitStatus> start_test() const {
    const auto kind = kind_ == "short"      ? protocol::SmartTestKind::short_test
                      : kind_ == "extended" ? protocol::SmartTestKind::extended_test
                                            : protocol::SmartTestKind::abort;
    AOE_TRY(exchange({SmartFeature::offline_immediate, static_cast<std::uint8_t>(kind), 0}));
    return ExitStatus::ok;
  }

  Result<ExitStatus> print_tests() const {
    AOE_TRY_ASSIGN(const auto reply,
                   exchange({SmartFeature::read_log,
                             static_cast<std::uint8_t>(protocol::SmartLog::self_test), 1}));
    Json tests = Json::array();
    Table table({{"KIND"}, {"STATUS"}, {"HOURS", Align::right}, {"SECTOR", Align::right}});
    for (std::size_t i = 0; i < protocol::kSmartSelfTestCountMax; ++i) {
      const auto test = protocol::smart_self_test(reply.data, i);
      if (!test) {
        break;
      }
      const bool has_sector =
          protocol::smart_test_status(test->status) == protocol::SmartTestStatus::read_failed &&
          test->failing_lba != protocol::kSmartNoLba;
      table.add_row({self_test_kind(test->kind), self_test_status(test->status),
                     std::to_string(test->hours),
                     has_sector ? std::to_string(test->failing_lba) : "-"});
      tests.push_back({{"kind", self_test_kind(test->kind)},
                       {"status", test->status},
                       {"text", self_test_status(test->status)},
                       {"power_on_hours", test->hours},
                       {"failing_lba", has_sector ? Json(test->failing_lba) : Json()}});
    }
    if (output_ == OutputFormat::json) {
      AOE_TRY(print_out(json_document(
          {{"address", to_string(contact_.peer.address)}, {"tests", std::move(tests)}})));
      return ExitStatus::ok;
    }
    AOE_TRY(print_out(table.row_count() == 0 ? "no self-tests\n" : table.layout(output_)));
    return ExitStatus::ok;
  }

  NetworkOptions network_;
  std::string device_;
  std::string kind_ = "short";
  std::string action_ = "status";
  std::uint64_t log_address_ = 0;
  std::uint64_t log_sectors_ = 1;
  OutputFormat output_ = OutputFormat::text;
  Contact contact_;
};

}  // namespace

std::unique_ptr<Command> make_smart_command() {
  return std::make_unique<SmartCommand>();
}

}  // namespace aoe::tools
