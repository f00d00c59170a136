#include "tools/top.h"

#include "os/clock.h"
#include "tools/command_line.h"
#include "tools/daemon_command.h"
#include "tools/stop_signal.h"
#include "tools/terminal.h"
#include "tools/top_view.h"
#include "tools/values.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace aoe::tools {
namespace {

class TopCommand final : public DaemonCommand {
 public:
  TopCommand()
      : DaemonCommand(kInitiatorDaemon,
                      {"initiator.stats", DeviceArgument::none,
                       "READ/s and WRITE/s are bytes, P50 and P99 latencies of the last seconds, "
                       "QUEUE requests that wait\nfor their answer. Keys: q ends, space refreshes. "
                       "With --count it prints lists one after the other."}) {}

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(client_, connect());
    AOE_TRY(count_ > 0 ? print_lists() : show_page());
    return ExitStatus::ok;
  }

 protected:
  void define_more(CommandLine& line) override {
    line.option({"--interval", "TIME", "From one refresh to the next (default 1s)"}, interval_);
    line.option({"-n,--count", "N", "Print N lists and end"}, count_);
  }

 private:
  [[nodiscard]] Result<TopSample> take_sample() {
    TopSample sample;
    AOE_TRY_ASSIGN(sample.list, client_->call("initiator.list", Json::object()));
    AOE_TRY_ASSIGN(sample.stats, client_->call(method_name(), Json::object()));
    sample.taken = os::monotonic_now();
    return sample;
  }

  [[nodiscard]] std::string text_of_step(const TopSample& now) const {
    if (output() == OutputFormat::json) {
      return json_document(
          {{"devices", now.list.value("devices", Json::array())}, {"stats", now.stats}});
    }
    return top_text(before_, now);
  }

  Result<void> print_lists() {
    AOE_TRY_ASSIGN(StopSignal stop, StopSignal::install());
    AOE_TRY_ASSIGN(before_, take_sample());
    for (std::uint64_t i = 0; i < count_ && !stop.wait(interval_); ++i) {
      AOE_TRY_ASSIGN(TopSample now, take_sample());
      AOE_TRY(print_out((i == 0 ? "" : "\n") + text_of_step(now)));
      before_ = std::move(now);
    }
    return {};
  }

  Result<void> show_page() {
    auto opened = TerminalPage::open();
    if (!opened) {
      return fail(
          Error{opened.error().code, opened.error().os_errno, "top: " + opened.error().message});
    }
    TerminalPage& page = **opened;
    std::string text;
    for (;;) {
      AOE_TRY_ASSIGN(TopSample now, take_sample());
      text = fmt::format("aoe top, every {}; q ends\n\n{}", duration_text(interval_),
                         top_text(before_, now));
      const Instant next = now.taken + interval_;
      before_ = std::move(now);
      AOE_TRY(page.draw(text));
      while (true) {
        const TerminalPage::Input input = page.wait(next);
        if (input == TerminalPage::Input::resize) {
          AOE_TRY(page.draw(text));
          continue;
        }
        const bool is_key = input == TerminalPage::Input::key;
        constexpr char kCtrlC = 3;
        if (input == TerminalPage::Input::stop ||
            (is_key && (page.last_key() == 'q' || page.last_key() == kCtrlC))) {
          return {};
        }
        if (!is_key || page.last_key() == ' ') {
          break;
        }
      }
    }
  }

  std::unique_ptr<control::Client> client_;
  std::optional<TopSample> before_;
  Duration interval_ = Duration::seconds(1);
  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_top_command() {
  return std::make_unique<TopCommand>();
}

}  // namespace aoe::tools
