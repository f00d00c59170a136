#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_smart.h"
#include "protocol/ata_trim.h"
#include "protocol/dissect_text.h"

namespace aoe::protocol {
namespace {

const char* checksum_text(IdentifyChecksum checksum) {
  switch (checksum) {
    case IdentifyChecksum::absent:
      return "absent";
    case IdentifyChecksum::valid:
      return "valid";
    case IdentifyChecksum::invalid:
      break;
  }
  return "invalid";
}

std::string on_off(bool is_supported, bool is_enabled) {
  if (!is_supported) {
    return "no";
  }
  return is_enabled ? "on" : "off";
}

void add_identify_fields(FieldLines& lines, ConstByteSpan sector) {
  const IdentifyView view = parse_identify(sector);
  const IdentifyModel& m = view.model;
  const auto yes_no = [](bool value) { return value ? "yes" : "no"; };
  lines.add("identify model", m.model);
  lines.add("identify serial", m.serial);
  lines.add("identify firmware", m.firmware);
  lines.add("identify sectors", m.sector_count);
  lines.add("identify 48-bit", yes_no(m.has_lba48));
  lines.add("identify logical sector bytes", view.logical_sector_bytes);
  lines.add("identify physical sector bytes", m.physical_sector_bytes);
  lines.add("identify write cache", on_off(m.has_write_cache, m.write_cache_enabled));
  lines.add("identify flush", yes_no(m.has_flush));
  lines.add("identify forced unit access", yes_no(m.has_fua));
  lines.add("identify smart", on_off(m.has_smart, m.smart_enabled));
  lines.add("identify trim", !m.has_trim ? "no" : m.trim_reads_zero ? "yes, reads zero" : "yes");
  lines.add("identify trim blocks", m.trim_blocks_max);
  lines.add("identify rotation rate", m.rotation_rate);
  if (m.world_wide_name != 0) {
    lines.add_hex("identify world wide name", m.world_wide_name, 16);
  }
  lines.add("identify checksum", checksum_text(view.checksum));
}

void add_smart_data_fields(FieldLines& lines, ConstByteSpan sector) {
  const SmartView view = parse_smart_data(sector);
  for (std::size_t i = 0; i < view.attribute_count; ++i) {
    const SmartAttribute& attribute = view.attributes[i];
    const std::string name = smart_attribute_name(attribute.id);
    lines.add("smart attribute " + std::to_string(attribute.id),
              (name.empty() ? "unknown" : name) + ", raw " + std::to_string(attribute.raw) +
                  ", value " + std::to_string(attribute.current) + ", worst " +
                  std::to_string(attribute.worst));
  }
  lines.add_hex("smart offline status", view.data.offline_status, 2);
  lines.add_hex("smart self-test status", view.data.self_test_status, 2);
  lines.add("smart checksum", view.checksum == SmartChecksum::valid ? "valid" : "invalid");
}

void add_smart_log_fields(FieldLines& lines, std::uint8_t log_address, ConstByteSpan sector) {
  lines.add_hex("smart log", log_address, 2);
  switch (static_cast<SmartLog>(log_address)) {
    case SmartLog::directory:
      for (unsigned log = 1; log <= 0xFF; ++log) {
        const unsigned sectors = smart_directory_sectors(sector, static_cast<std::uint8_t>(log));
        if (sectors != 0) {
          lines.add("smart log " + hex_text(log, 2) + " sectors", sectors);
        }
      }
      return;
    case SmartLog::summary_error:
      lines.add("smart errors", smart_error_log_count(sector));
      return;
    case SmartLog::self_test:
      for (std::size_t i = 0; i < kSmartSelfTestCountMax; ++i) {
        if (const auto test = smart_self_test(sector, i)) {
          lines.add("smart self-test " + std::to_string(i),
                    "kind " + hex_text(test->kind, 2) + " status " + hex_text(test->status, 2) +
                        " at hour " + std::to_string(test->hours));
        }
      }
      return;
  }
}

void add_smart_fields(FieldLines& lines, const AtaArgument& request, ConstByteSpan sector) {
  switch (static_cast<SmartFeature>(request.feature_error)) {
    case SmartFeature::read_data:
      add_smart_data_fields(lines, sector);
      return;
    case SmartFeature::read_log:
      add_smart_log_fields(lines, request.lba[0], sector);
      return;
    default:
      return;
  }
}

void add_trim_fields(FieldLines& lines, ConstByteSpan data) {
  const TrimRanges ranges(data);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const TrimRange range = ranges[i];
    if (range.sector_count != 0) {
      lines.add("trim " + std::to_string(i), "lba " + std::to_string(range.first.value) +
                                                 " count " + std::to_string(range.sector_count));
    }
  }
  lines.add("trim sectors", ranges.total_sectors());
}

}  // namespace

void add_payload_fields(FieldLines& lines, const AtaArgument& request, ConstByteSpan data) {
  const AtaKind kind = find_opcode(request.command_status).kind;
  if (kind == AtaKind::data_set_management) {
    add_trim_fields(lines, data);
  } else if (data.size() < kSectorBytes) {
    return;
  } else if (kind == AtaKind::identify) {
    add_identify_fields(lines, data);
  } else if (kind == AtaKind::smart) {
    add_smart_fields(lines, request, data);
  }
}

}  // namespace aoe::protocol
