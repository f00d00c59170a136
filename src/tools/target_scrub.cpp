#include "tools/target_scrub.h"

#include "base/time.h"
#include "tools/command_line.h"
#include "tools/daemon_command.h"
#include "tools/progress.h"
#include "tools/stop_signal.h"
#include "tools/values.h"

#include <fmt/format.h>

#include <optional>
#include <string>

namespace aoe::tools {
namespace {

constexpr Duration kLook = Duration::milliseconds(100);

std::uint64_t number_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

class ScrubCommand final : public DaemonCommand {
 public:
  ScrubCommand()
      : DaemonCommand(
            kTargetDaemon,
            {"target.scrub", DeviceArgument::needed,
             "Reads every sector of an export with integrity=PATH, in the background, and compares "
             "it\nwith its checksum; a sector without one gets one. What was found: aoe target "
             "show, aoe\ntarget events. With --wait the exit status is 1 when something has "
             "rotted.",
             Answer::silent}) {}

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const Json wanted, params());
    AOE_TRY_ASSIGN(const auto client, connect());
    AOE_TRY(client->call(method_name(), wanted));
    if (!wait_ || stop_) {
      return ExitStatus::ok;
    }
    const std::string address = wanted.at("address").get<std::string>();
    AOE_TRY_ASSIGN(StopSignal stop, StopSignal::install());
    std::optional<Progress> progress;
    progress.emplace(100, Progress::Show::on_terminal);
    for (;;) {
      AOE_TRY_ASSIGN(const Json show, client->call("target.show", {{"address", address}}));
      const auto integrity = show.find("integrity");
      if (integrity == show.end() || integrity->value("scrub", "") != "running") {
        progress.reset();
        return integrity == show.end() ? Result<ExitStatus>(ExitStatus::ok)
                                       : verdict(address, *integrity);
      }
      progress->update(number_in(*integrity, "scrub_percent"));
      if (stop.wait(kLook)) {
        progress.reset();
        return fail_with(Errc::io, 0, address + ": scrub: it goes on in the background");
      }
    }
  }

 protected:
  void define_more(CommandLine& line) override {
    line.option({"--rate", "SIZE",
                 "Read at most so many bytes a second, 0: no limit (default: scrub_rate of the "
                 "export)"},
                rate_);
    line.flag({"--wait", "", "Return when it is done"}, wait_);
    line.flag({"--stop", "", "Stop the one that runs"}, stop_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    if (rate_) {
      params["bytes_per_second"] = rate_->bytes;
    }
    params["stop"] = stop_;
    return {};
  }

 private:
  static Result<ExitStatus> verdict(const std::string& address, const Json& integrity) {
    const std::uint64_t rotten = number_in(integrity, "scrub_rotten");
    if (rotten == 0) {
      return ExitStatus::ok;
    }
    return fail_with(Errc::io, 0,
                     fmt::format("{}: scrub: {} sectors are not what was written: {} (restore them "
                                 "from a copy: a sector that is written anew is sound again)",
                                 address, rotten, integrity.at("scrub_first_rotten").dump()));
  }

  std::optional<ByteCount> rate_;
  bool wait_ = false;
  bool stop_ = false;
};

}  // namespace

std::unique_ptr<Command> make_target_scrub_command() {
  return std::make_unique<ScrubCommand>();
}

}  // namespace aoe::tools
