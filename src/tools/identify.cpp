#include "tools/identify.h"

#include "tools/command_line.h"
#include "tools/network.h"

#include <fmt/format.h>

#include <string>

namespace aoe::tools {
namespace {

const char* checksum_text(protocol::IdentifyChecksum checksum) {
  switch (checksum) {
    case protocol::IdentifyChecksum::absent:
      return "absent";
    case protocol::IdentifyChecksum::valid:
      return "valid";
    case protocol::IdentifyChecksum::invalid:
      return "invalid";
  }
  return "unknown";
}

std::string rotation_text(std::uint16_t rate) {
  if (rate == 0) {
    return "not reported";
  }
  return rate == 1 ? "solid state" : fmt::format("{} rpm", rate);
}

std::string yes_no(bool value) {
  return value ? "yes" : "no";
}

std::string write_cache_text(const protocol::IdentifyModel& model) {
  if (!model.has_write_cache) {
    return "none";
  }
  return model.write_cache_enabled ? "on" : "off";
}

class IdentifyCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Device to identify (e7.1, or a URI)"}, device_, Needed::yes);
    network_.define(line);
    line.flag({"--raw", "", "Write the 512 bytes of IDENTIFY data as they came"}, raw_);
    line.output_option(output_);
  }

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const Contact contact, find_device(device_, network_));
    AOE_TRY_ASSIGN(const client::IdentifyReply reply,
                   contact.session->identify(contact.peer, contact.exchange_options()));
    if (raw_) {
      AOE_TRY(print_out(as_text(reply.raw)));
      return ExitStatus::ok;
    }
    AOE_TRY(print_out(output_ == OutputFormat::json ? json(contact, reply.view)
                                                    : text(contact, reply)));
    return ExitStatus::ok;
  }

 private:
  [[nodiscard]] std::string text(const Contact& contact, const client::IdentifyReply& reply) const {
    const protocol::IdentifyModel& model = reply.view.model;
    FieldList fields;
    fields.add("device", to_string(contact.peer.address));
    fields.add("model", model.model);
    fields.add("serial", model.serial);
    fields.add("firmware", model.firmware);
    fields.add("world wide name", model.world_wide_name == 0
                                      ? std::string("none")
                                      : fmt::format("{:016x}", model.world_wide_name));
    fields.add("size", fmt::format("{} sectors ({})", model.sector_count,
                                   size_text(model.sector_count * kSectorBytes)));
    fields.add("physical sector", fmt::format("{} bytes", model.physical_sector_bytes));
    fields.add("medium", rotation_text(model.rotation_rate));
    fields.add("48-bit addresses", yes_no(model.has_lba48));
    fields.add("write cache", write_cache_text(model));
    fields.add("flush", yes_no(model.has_flush));
    fields.add("forced unit access", yes_no(model.has_fua));
    fields.add("trim", !model.has_trim         ? "no"
                       : model.trim_reads_zero ? "yes, reads zeros after it"
                                               : "yes");
    fields.add("smart", !model.has_smart ? "no" : model.smart_enabled ? "on" : "off");
    fields.add("checksum", checksum_text(reply.view.checksum));
    std::string all = fields.layout();
    if (output_ == OutputFormat::wide) {
      all += hex_dump(as_text(reply.raw));
    }
    return all;
  }

  [[nodiscard]] static std::string json(const Contact& contact,
                                        const protocol::IdentifyView& view) {
    const protocol::IdentifyModel& model = view.model;
    return json_document({
        {"address", to_string(contact.peer.address)},
        {"mac", to_string(contact.peer.mac.value_or(MacAddress{}))},
        {"interface", contact.peer.interface.value_or("")},
        {"model", model.model},
        {"serial", model.serial},
        {"firmware", model.firmware},
        {"world_wide_name", fmt::format("{:016x}", model.world_wide_name)},
        {"sectors", model.sector_count},
        {"size_bytes", model.sector_count * kSectorBytes},
        {"physical_sector_bytes", model.physical_sector_bytes},
        {"rotation_rate", model.rotation_rate},
        {"lba48", model.has_lba48},
        {"write_cache", model.has_write_cache},
        {"write_cache_enabled", model.write_cache_enabled},
        {"flush", model.has_flush},
        {"fua", model.has_fua},
        {"trim", model.has_trim},
        {"trim_reads_zero", model.trim_reads_zero},
        {"trim_blocks_max", model.trim_blocks_max},
        {"smart", model.has_smart},
        {"smart_enabled", model.smart_enabled},
        {"checksum", checksum_text(view.checksum)},
    });
  }

  NetworkOptions network_;
  std::string device_;
  bool raw_ = false;
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::unique_ptr<Command> make_identify_command() {
  return std::make_unique<IdentifyCommand>();
}

}  // namespace aoe::tools
