#include "tools/copy.h"

#include "client/device_settings.h"
#include "os/clock.h"
#include "tools/command_line.h"
#include "tools/copy_engine.h"
#include "tools/network.h"
#include "tools/progress.h"
#include "tools/stop_signal.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aoe::tools {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{128} << 10U;
constexpr std::uint64_t kDepthMax = 128;

class CopyCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"SRC", "", "What to copy: a file, a block device, - or aoe:e7.1"}, source_,
                    Needed::yes);
    line.positional({"DST", "", "Where to: a file, a block device, - or aoe:e7.1"}, destination_,
                    Needed::yes);
    line.option({"--size", "SIZE", "Copy this many bytes from the start (default: all of SRC)"},
                size_);
    line.flag({"--verify", "", "Read both again afterwards and compare"}, verify_);
    line.flag({"--no-sparse", "", "Write zeros as data, too"}, no_sparse_);
    line.option({"--depth", "N", "Requests of 128 KiB under way (default 32)"}, depth_);
    network_.timeout = Duration::seconds(30);
    network_.define_interfaces(line);
    line.option({"--timeout", "TIME", "Give up when a request is not answered (default 30s)"},
                network_.timeout);
    line.flag({"-q,--quiet", "", "No progress and no summary"}, quiet_);
    line.epilogue(
        "A device is written as an aoe: URI, so that a file of that name is never meant. A "
        "regular\n"
        "file is created with exactly the size of SRC. Data is on stable storage at the end.\n"
        "\n"
        "  aoe copy aoe://eth1/e7.1 disk.img\n"
        "  zcat disk.img.gz | aoe copy -i eth1 - aoe:e7.1 --verify");
  }

  Result<ExitStatus> run() override {
    AOE_TRY(check());
    AOE_TRY_ASSIGN(StopSignal stop, StopSignal::install());
    buffers_.emplace(buffer_options());
    AOE_TRY(copy(stop));
    if (verify_) {
      AOE_TRY(verify(stop));
    }
    return ExitStatus::ok;
  }

 private:
  [[nodiscard]] Result<void> check() const {
    if (depth_ == 0 || depth_ > kDepthMax) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("copy: --depth: {} (1 to {})", depth_, kDepthMax));
    }
    if (verify_ && destination_ == "-") {
      return fail_with(Errc::invalid_argument, 0,
                       "copy: --verify: standard output cannot be read again");
    }
    if (source_ == destination_ && source_ != "-") {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("{}: copy: source and destination are the same", source_));
    }
    return {};
  }

  [[nodiscard]] CopyBuffers::Options buffer_options() const { return {kBlockBytes, depth_}; }

  Result<std::unique_ptr<CopyEnd>> open_end(const std::string& text, CopyRole role) const {
    const Sparse sparse = no_sparse_ ? Sparse::no : Sparse::yes;
    if (!client::has_aoe_scheme(text)) {
      return open_file_end({text, role, sparse});
    }
    AOE_TRY_ASSIGN(const client::DeviceUri uri, client::parse_device_uri(text));
    DeviceEndOptions options;
    options.name = to_string(uri.address);
    options.sparse = sparse;
    AOE_TRY_ASSIGN(options.session, open_session(network_, &uri));
    client::DeviceOptions device;
    device.timeout = network_.timeout;
    client::apply_uri(uri, device);
    device.open_timeout = std::min(device.open_timeout, device.timeout);
    if (role == CopyRole::source) {
      device.access = client::Access::read_only;
    } else if (device.access == client::Access::read_only) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("{}: copy: cannot be written: its URI says mode=read-only",
                                   to_string(uri.address)));
    }
    AOE_TRY_ASSIGN(options.device, options.session->open_device(uri.address, device));
    return make_device_end(std::move(options));
  }

  // What --size and the size of the source say together.
  [[nodiscard]] Result<std::optional<std::uint64_t>> total_of(const CopyEnd& source) const {
    const auto have = source.size_bytes();
    if (!size_) {
      return have;
    }
    if (have && size_->bytes > *have) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("{}: copy: --size {}: it has only {} bytes", source.name(),
                                   size_->bytes, *have));
    }
    return size_->bytes;
  }

  Result<void> copy(StopSignal& stop) {
    AOE_TRY_ASSIGN(auto source, open_end(source_, CopyRole::source));
    AOE_TRY_ASSIGN(const auto total, total_of(*source));
    AOE_TRY_ASSIGN(auto destination, open_end(destination_, CopyRole::destination));
    AOE_TRY(destination->prepare(total));
    // A source that can be read again is compared; of a pipe only hashes are left.
    source_is_stream_ = !source->size_bytes();
    const Instant start = os::monotonic_now();
    Progress progress(total, quiet_ ? Progress::Show::never : Progress::Show::on_terminal);
    CopyEngine engine({.source = *source,
                       .destination = *destination,
                       .buffers = *buffers_,
                       .total_bytes = total,
                       .hashes = verify_ && source_is_stream_ ? &hashes_ : nullptr,
                       .on_progress = [&](std::uint64_t done) { progress.update(done); },
                       .is_stopped = [&] { return stop.requested(); }});
    const auto copied = engine.run();
    if (!copied) {
      Error error = copied.error();
      error.message += fmt::format(" ({} is incomplete)", destination->name());
      return fail(std::move(error));
    }
    AOE_TRY(destination->finish(*copied));
    copied_bytes_ = *copied;
    progress.clear();
    report("copied", start, source->retransmissions() + destination->retransmissions());
    keep(source_, std::move(source), kept_source_);
    keep(destination_, std::move(destination), kept_destination_);
    return {};
  }

  // A device stays open until it was verified: opened again, its address could lead to another
  // disk.
  static void keep(const std::string& text, std::unique_ptr<CopyEnd> end,
                   std::unique_ptr<CopyEnd>& kept) {
    if (client::has_aoe_scheme(text)) {
      kept = std::move(end);
    }
  }

  Result<std::unique_ptr<CopyEnd>> open_again(const std::string& text,
                                              std::unique_ptr<CopyEnd>& kept) const {
    return kept ? std::move(kept) : open_end(text, CopyRole::source);
  }

  Result<void> verify(StopSignal& stop) {
    std::vector<std::byte> memory;
    AOE_TRY_ASSIGN(auto copy, open_again(destination_, kept_destination_));
    std::unique_ptr<CopyEnd> source;
    std::unique_ptr<CopyEnd> checker;
    if (source_is_stream_) {
      checker = make_hash_check_end(copy->name(), hashes_);
      source = std::move(copy);
    } else {
      memory.resize(kBlockBytes * depth_);
      AOE_TRY_ASSIGN(source, open_again(source_, kept_source_));
      checker = make_compare_end(std::move(copy), memory, kBlockBytes);
    }
    const std::uint64_t retransmissions_before =
        source->retransmissions() + checker->retransmissions();
    const Instant start = os::monotonic_now();
    Progress progress(copied_bytes_, quiet_ ? Progress::Show::never : Progress::Show::on_terminal);
    CopyEngine engine({.source = *source,
                       .destination = *checker,
                       .buffers = *buffers_,
                       .total_bytes = copied_bytes_,
                       .on_progress = [&](std::uint64_t done) { progress.update(done); },
                       .is_stopped = [&] { return stop.requested(); }});
    AOE_TRY(engine.run());
    progress.clear();
    report("verified", start,
           source->retransmissions() + checker->retransmissions() - retransmissions_before);
    return {};
  }

  void report(const char* what, Instant start, std::uint64_t retransmissions) const {
    if (quiet_) {
      return;
    }
    const Duration elapsed = os::monotonic_now() - start;
    print_error(fmt::format("aoe: {} {} bytes ({}) in {}, {}, {} retransmissions\n", what,
                            copied_bytes_, size_text(copied_bytes_), duration_text(elapsed),
                            rate_text(copied_bytes_, elapsed), retransmissions));
  }

  NetworkOptions network_;
  std::string source_;
  std::string destination_;
  std::optional<ByteCount> size_;
  bool verify_ = false;
  bool no_sparse_ = false;
  bool quiet_ = false;
  std::uint64_t depth_ = 32;

  // Before the devices, which may still write into it until they are closed.
  std::optional<CopyBuffers> buffers_;
  std::unique_ptr<CopyEnd> kept_source_;
  std::unique_ptr<CopyEnd> kept_destination_;
  bool source_is_stream_ = false;
  std::uint64_t copied_bytes_ = 0;
  std::vector<std::uint64_t> hashes_;  // of the blocks of a stream
};

}  // namespace

std::unique_ptr<Command> make_copy_command() {
  return std::make_unique<CopyCommand>();
}

}  // namespace aoe::tools
