#include "tools/wire.h"

#include "net/pcap_file.h"
#include "os/error_text.h"
#include "os/fd.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"
#include "protocol/dissect.h"
#include "tools/command_line.h"
#include "tools/hex_frames.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aoe::tools {
namespace {

constexpr std::size_t kInputBytesMax = std::size_t{4} << 30U;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

Result<std::string> read_all(const std::string& path) {
  os::Fd file;
  int fd = STDIN_FILENO;
  if (path != "-") {
    file = os::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
      return fail(os::os_error(errno, fmt::format("{}: open", path)));
    }
    fd = file.get();
  }
  std::string all;
  std::vector<char> piece(std::size_t{256} << 10U);
  for (;;) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count == 0) {
      return all;
    }
    if (count < 0 && errno != EINTR) {
      return fail(os::os_error(errno, fmt::format("{}: read", path)));
    }
    if (count > 0) {
      all.append(piece.data(), static_cast<std::size_t>(count));
    }
    if (all.size() > kInputBytesMax) {
      return fail_with(Errc::unsupported, 0,
                       fmt::format("{}: read: longer than {} bytes", path, kInputBytesMax));
    }
  }
}

// Finds the request that a reply answers: a reply has no opcode of its own.
class RequestMemory {
 public:
  std::optional<protocol::AtaArgument> see(ConstByteSpan frame) {
    const auto header = protocol::parse_header(frame);
    if (!header || header->command != static_cast<std::uint8_t>(protocol::Command::ata)) {
      return std::nullopt;
    }
    const MacAddress& initiator = header->is_response ? header->destination : header->source;
    const std::pair key{initiator, header->tag.value};
    if (header->is_response) {
      const auto found = requests_.find(key);
      return found == requests_.end() ? std::nullopt : std::optional(found->second);
    }
    if (const auto ata = protocol::parse_ata(frame)) {
      // A capture may hold any number of requests that were never answered.
      if (requests_.size() >= kRequestsMax) {
        requests_.clear();
      }
      requests_[key] = ata->argument;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kRequestsMax = 100'000;
  std::map<std::pair<MacAddress, std::uint32_t>, protocol::AtaArgument> requests_;
};

struct Frame {
  std::uint64_t number = 0;
  std::optional<std::int64_t> timestamp_ns{};
  std::uint32_t wire_bytes = 0;
  ConstByteSpan bytes;
};

class WireDecodeCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"PCAP", "", "Capture file, or text with hexadecimal frames (default -)"},
                    path_, Needed::no);
    line.option_choice({"--payload", "", "How to show data (default decoded)"}, payload_,
                       {"length", "decoded", "hex"});
    line.output_option(output_);
    line.epilogue(
        "text has a line a frame, wide every field. Text input is what text2pcap takes: offset "
        "and\n"
        "bytes, or bytes alone. Frames that are not AoE are named, not left out.\n"
        "\n"
        "  tcpdump -i eth1 -w - ether proto 0x88a2 | aoe wire decode");
  }

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const std::string input, read_all(path_));
    const ConstByteSpan bytes = as_byte_span(input);
    if (looks_like_capture(bytes)) {
      AOE_TRY(decode_capture(bytes));
    } else {
      AOE_TRY(decode_text(input));
    }
    if (output_ == OutputFormat::json) {
      AOE_TRY(print_out(json_document({{"frames", std::move(frames_)}})));
    }
    return ExitStatus::ok;
  }

 private:
  // Text never starts with a byte of these magic numbers (pcap both ways round, pcapng's 0a0d0d0a).
  static bool looks_like_capture(ConstByteSpan bytes) {
    if (bytes.size() < 4) {
      return false;
    }
    const std::uint32_t magic = load_be32(bytes, 0);
    constexpr std::array kMagics{0xA1B2C3D4U, 0xD4C3B2A1U, 0xA1B23C4DU, 0x4D3CB2A1U, 0x0A0D0D0AU};
    for (const std::uint32_t known : kMagics) {
      if (magic == known) {
        return true;
      }
    }
    return false;
  }

  Result<void> decode_capture(ConstByteSpan bytes) {
    const auto in_file = [this](Error error) {
      error.message = fmt::format("{}: {}", path_, error.message);
      return fail(std::move(error));
    };
    auto reader = net::PcapReader::open(bytes);
    if (!reader) {
      return in_file(reader.error());
    }
    for (std::uint64_t number = 1;; ++number) {
      const auto record = reader->next();
      if (!record) {
        return in_file(record.error());
      }
      if (!*record) {
        return {};
      }
      AOE_TRY(decode({number, (*record)->timestamp_ns, (*record)->wire_bytes, (*record)->frame}));
    }
  }

  Result<void> decode_text(const std::string& input) {
    auto frames = parse_hex_frames(input);
    if (!frames) {
      Error error = frames.error();
      error.message = fmt::format("{}: {}", path_, error.message);
      return fail(std::move(error));
    }
    std::uint64_t number = 0;
    for (const auto& frame : *frames) {
      AOE_TRY(decode({++number, std::nullopt, static_cast<std::uint32_t>(frame.size()), frame}));
    }
    return {};
  }

  Result<void> decode(const Frame& frame) {
    protocol::DissectOptions options;
    options.payload = payload_ == "length" ? protocol::PayloadDetail::length
                      : payload_ == "hex"  ? protocol::PayloadDetail::hex
                                           : protocol::PayloadDetail::decoded;
    options.request = requests_.see(frame.bytes);
    const std::string summary = protocol::dissect_line(frame.bytes, options);
    if (output_ == OutputFormat::json) {
      frames_.push_back(to_json(frame, summary));
      return {};
    }
    const std::string title = fmt::format("{} {}", frame.number, time_text(frame));
    if (output_ == OutputFormat::text && payload_ != "hex") {
      return print_out(title + summary + "\n");
    }
    return print_out(title + summary + "\n" +
                     indented(protocol::dissect_fields(frame.bytes, options)) + "\n");
  }

  [[nodiscard]] std::string time_text(const Frame& frame) {
    if (!frame.timestamp_ns) {
      return "";
    }
    if (!first_ns_) {
      first_ns_ = frame.timestamp_ns;
    }
    const std::int64_t since = *frame.timestamp_ns - *first_ns_;
    return fmt::format("{:.6f} ", static_cast<double>(since) / static_cast<double>(kNsPerSecond));
  }

  [[nodiscard]] static std::string indented(const std::string& lines) {
    std::string text;
    bool at_start = true;
    for (const char c : lines) {
      text += at_start ? "    " : "";
      text += c;
      at_start = c == '\n';
    }
    return text;
  }

  [[nodiscard]] static Json to_json(const Frame& frame, const std::string& summary) {
    Json json{{"number", frame.number},
              {"bytes", frame.wire_bytes},
              {"captured_bytes", frame.bytes.size()},
              {"summary", summary}};
    if (frame.timestamp_ns) {
      json["timestamp_ns"] = *frame.timestamp_ns;
    }
    const auto header = protocol::parse_header(frame.bytes);
    if (!header) {
      json["not_aoe"] = protocol::wire_error_text(header.error());
      return json;
    }
    json["destination"] = to_string(header->destination);
    json["source"] = to_string(header->source);
    json["version_nibble"] = header->version;
    json["response"] = header->is_response;
    json["error"] = header->is_error ? header->error : 0;
    json["shelf"] = header->address.shelf.value;
    json["slot"] = header->address.slot.value;
    json["command"] = header->command;
    json["tag"] = header->tag.value;
    return json;
  }

  std::string path_ = "-";
  std::string payload_ = "decoded";
  OutputFormat output_ = OutputFormat::text;
  RequestMemory requests_;
  std::optional<std::int64_t> first_ns_;
  Json frames_ = Json::array();
};

}  // namespace

std::unique_ptr<Command> make_wire_decode_command() {
  return std::make_unique<WireDecodeCommand>();
}

}  // namespace aoe::tools
