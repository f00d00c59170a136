#include "tools/bench.h"

#include "client/device_settings.h"
#include "os/clock.h"
#include "tools/bench_run.h"
#include "tools/command_line.h"
#include "tools/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

namespace aoe::tools {
namespace {

constexpr std::uint64_t kDepthMax = 128;
constexpr std::uint64_t kBlockBytesMax = std::uint64_t{16} << 20U;
// With --verify: four bytes a block are kept.
constexpr std::uint64_t kVerifyBlocksMax = std::uint64_t{64} << 20U;

double per_second(std::uint64_t count, Duration elapsed) {
  return elapsed.ns <= 0 ? 0 : static_cast<double>(count) * 1e9 / static_cast<double>(elapsed.ns);
}

class BenchCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Device to measure (e7.1, or a URI)"}, device_, Needed::yes);
    line.option_choice({"--op", "", "What to do (default read); mixed is 70% reads"}, op_,
                       {"read", "write", "mixed"});
    line.option_choice({"--pattern", "", "Where (default random)"}, pattern_,
                       {"random", "sequential"});
    line.option({"--bs", "SIZE", "Size of a request (default 4K)"}, block_);
    line.option({"--depth", "N", "Requests under way (default 16)"}, depth_);
    line.option({"--time", "TIME", "How long to measure (default 10s); 0: until interrupted"},
                time_);
    line.option({"--size", "SIZE", "Use only this much from the start (default: all)"}, size_);
    line.flag({"--verify", "", "With write and mixed: check that all writes can be read back"},
              verify_);
    network_.timeout = Duration::seconds(30);
    network_.define_interfaces(line);
    line.option({"--timeout", "TIME", "Give up when a request is not answered (default 30s)"},
                network_.timeout);
    line.output_option(output_);
    line.epilogue(
        "write and mixed DESTROY what is on the device. Latency is from the submission of a "
        "request\n"
        "to its answer. The time of a write run contains the final flush. MB are 10^6 bytes.");
  }

  Result<ExitStatus> run() override {
    AOE_TRY(check());
    AOE_TRY_ASSIGN(const client::DeviceUri uri, client::parse_device_uri(device_));
    AOE_TRY_ASSIGN(StopSignal stop, StopSignal::install());
    AOE_TRY_ASSIGN(const auto session, open_session(network_, &uri));
    client::DeviceOptions options;
    options.timeout = network_.timeout;
    client::apply_uri(uri, options);
    options.open_timeout = std::min(options.open_timeout, options.timeout);
    if (op_ == "read") {
      options.access = client::Access::read_only;
    }
    AOE_TRY_ASSIGN(auto device, session->open_device(uri.address, options));
    AOE_TRY_ASSIGN(const BenchOptions bench, bench_options(*device));
    BenchRun run(*device, bench, stop);
    const auto result = run.run();
    const client::DeviceInfo info = device->info();
    // Closed here, before the memory of the run goes.
    device.reset();
    if (!result) {
      return fail(result.error());
    }
    AOE_TRY(print_out(output_ == OutputFormat::json ? json(bench, info, *result)
                                                    : text(bench, info, *result)));
    return result->interrupted ? ExitStatus::failed : ExitStatus::ok;
  }

 private:
  [[nodiscard]] Result<void> check() const {
    if (block_.bytes == 0 || block_.bytes % kSectorBytes != 0 || block_.bytes > kBlockBytesMax) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("bench: --bs: {} bytes (a multiple of 512 up to {})",
                                   block_.bytes, kBlockBytesMax));
    }
    if (depth_ == 0 || depth_ > kDepthMax) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("bench: --depth: {} (1 to {})", depth_, kDepthMax));
    }
    if (verify_ && op_ == "read") {
      return fail_with(Errc::invalid_argument, 0,
                       "bench: --verify: needs --op write or mixed (what was there before has no "
                       "known content)");
    }
    return {};
  }

  [[nodiscard]] Result<BenchOptions> bench_options(const client::Device& device) const {
    BenchOptions options;
    options.op = op_ == "read" ? BenchOp::read : op_ == "write" ? BenchOp::write : BenchOp::mixed;
    options.pattern = pattern_ == "random" ? BenchPattern::random : BenchPattern::sequential;
    options.verify = verify_ ? BenchVerify::yes : BenchVerify::no;
    options.block_bytes = block_.bytes;
    options.depth = depth_;
    options.time = time_;
    options.seed = static_cast<std::uint64_t>(os::monotonic_now().ns);
    const std::uint64_t wanted = size_ ? size_->bytes / kSectorBytes : device.sectors();
    options.range_sectors = std::min(wanted, device.sectors());
    const std::uint64_t block_sectors = block_.bytes / kSectorBytes;
    std::uint64_t blocks = options.range_sectors / block_sectors;
    if (verify_) {
      blocks = std::min(blocks, kVerifyBlocksMax);
      options.range_sectors = blocks * block_sectors;
    }
    // With --verify every request under way needs a block of its own, and one to choose.
    if (blocks == 0 || (verify_ && blocks <= depth_)) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("{}: bench: {} blocks of {} bytes to work on are too few",
                                   to_string(device.address()), blocks, block_.bytes));
    }
    return options;
  }

  static void add_op(Table& table, const char* name, const LatencyHistogram& latency,
                     std::uint64_t bytes, Duration elapsed) {
    if (latency.count() == 0) {
      return;
    }
    table.add_row({name, std::to_string(latency.count()),
                   fmt::format("{:.0f}", per_second(latency.count(), elapsed)),
                   fmt::format("{:.1f}", per_second(bytes, elapsed) / 1e6),
                   duration_text(latency.mean()), duration_text(latency.percentile(50)),
                   duration_text(latency.percentile(99)), duration_text(latency.percentile(99.9)),
                   duration_text(latency.max())});
  }

  [[nodiscard]] std::string text(const BenchOptions& bench, const client::DeviceInfo& info,
                                 const BenchResult& result) const {
    std::string text =
        fmt::format("{}: {} {} of {}, {} under way, {} long, payload {} bytes, {} path{}\n",
                    to_string(info.address), pattern_, op_, size_text(bench.block_bytes),
                    bench.depth, duration_text(result.elapsed), info.payload_bytes,
                    info.paths.size(), info.paths.size() == 1 ? "" : "s");
    Table table({{"OP"},
                 {"REQUESTS", Align::right},
                 {"IOPS", Align::right},
                 {"MB/S", Align::right},
                 {"MEAN", Align::right},
                 {"P50", Align::right},
                 {"P99", Align::right},
                 {"P99.9", Align::right},
                 {"MAX", Align::right}});
    add_op(table, "read", result.reads, result.read_bytes, result.elapsed);
    add_op(table, "write", result.writes, result.written_bytes, result.elapsed);
    text += table.layout(output_);
    text += fmt::format("retransmissions: {}\n", result.retransmissions);
    if (bench.op != BenchOp::read) {
      text += fmt::format("final flush: {}\n", duration_text(result.flush_time));
    }
    if (verify_) {
      text += result.interrupted
                  ? "verified: not completely (interrupted)\n"
                  : fmt::format("verified: {} blocks, all right\n", result.blocks_verified);
    }
    return text;
  }

  static Json op_json(const LatencyHistogram& latency, std::uint64_t bytes, Duration elapsed) {
    return {{"requests", latency.count()},
            {"bytes", bytes},
            {"iops", per_second(latency.count(), elapsed)},
            {"bytes_per_second", per_second(bytes, elapsed)},
            {"latency_ns",
             {{"min", latency.min().ns},
              {"mean", latency.mean().ns},
              {"p50", latency.percentile(50).ns},
              {"p99", latency.percentile(99).ns},
              {"p999", latency.percentile(99.9).ns},
              {"max", latency.max().ns}}}};
  }

  [[nodiscard]] std::string json(const BenchOptions& bench, const client::DeviceInfo& info,
                                 const BenchResult& result) const {
    Json body{{"address", to_string(info.address)},
              {"op", op_},
              {"pattern", pattern_},
              {"block_bytes", bench.block_bytes},
              {"depth", bench.depth},
              {"payload_bytes", info.payload_bytes},
              {"paths", info.paths.size()},
              {"elapsed_ns", result.elapsed.ns},
              {"flush_ns", result.flush_time.ns},
              {"retransmissions", result.retransmissions},
              {"blocks_verified", result.blocks_verified},
              {"interrupted", result.interrupted}};
    if (result.reads.count() > 0) {
      body["read"] = op_json(result.reads, result.read_bytes, result.elapsed);
    }
    if (result.writes.count() > 0) {
      body["write"] = op_json(result.writes, result.written_bytes, result.elapsed);
    }
    return json_document(std::move(body));
  }

  NetworkOptions network_;
  std::string device_;
  std::string op_ = "read";
  std::string pattern_ = "random";
  ByteCount block_{4096};
  std::uint64_t depth_ = 16;
  Duration time_ = Duration::seconds(10);
  std::optional<ByteCount> size_;
  bool verify_ = false;
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::unique_ptr<Command> make_bench_command() {
  return std::make_unique<BenchCommand>();
}

}  // namespace aoe::tools
