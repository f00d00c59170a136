#include "tools/events.h"

#include "tools/command_line.h"
#include "tools/daemon_command.h"
#include "tools/values.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdint>
#include <ctime>
#include <string>

namespace aoe::tools {
namespace {

using FollowStep = control::Client::FollowStep;

std::uint64_t number_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// "2026-11-28 13:00:05.123  e7.1: up: 2048 sectors", times of this machine.
std::string line_of(const Json& event) {
  const std::uint64_t ms = number_in(event, "time_ms");
  const auto text = event.find("text");
  return fmt::format(
      "{:%F %T}.{:03}  {}\n", fmt::localtime(static_cast<std::time_t>(ms / 1000)), ms % 1000,
      text != event.end() && text->is_string() ? printable_text(text->get<std::string>())
                                               : printable_text(event.dump()));
}

class EventsCommand final : public DaemonCommand {
 public:
  EventsCommand()
      : DaemonCommand(kInitiatorDaemon,
                      {"initiator.events", DeviceArgument::none,
                       "Every event has a number; the daemon keeps the last 1024. With --follow a "
                       "JSON document a line."}) {}

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const auto client, connect());
    AOE_TRY_ASSIGN(const Json history, client->call(method_name(), Json::object()));
    if (!follow_ && output() == OutputFormat::json) {
      AOE_TRY(print_out(json_document(history)));
      return ExitStatus::ok;
    }
    AOE_TRY(print_events(history));
    last_seq_ = number_in(history, "last_seq");
    if (!follow_) {
      return ExitStatus::ok;
    }
    AOE_TRY(client->follow([this](const Json& event) { return on_event(event); }));
    AOE_TRY(outcome_);
    return ExitStatus::ok;
  }

 protected:
  void define_more(CommandLine& line) override {
    line.flag({"-f,--follow", "", "Go on with what happens from now on"}, follow_);
  }

 private:
  Result<void> print_event(Json event) {
    if (output() != OutputFormat::json) {
      return print_out(line_of(event));
    }
    event["version"] = kJsonVersion;
    return print_out(event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  Result<void> print_events(const Json& history) {
    const auto events = history.find("events");
    if (events == history.end() || !events->is_array()) {
      return {};
    }
    for (const Json& event : *events) {
      AOE_TRY(print_event(event));
    }
    return {};
  }

  // Between our question and the subscription, or while we were too slow, events may have passed:
  // the numbers tell, and the daemon still has them.
  Result<void> fill_gap(std::uint64_t before) {
    if (before <= last_seq_ + 1) {
      return {};
    }
    AOE_TRY_ASSIGN(const auto client, connect());
    AOE_TRY_ASSIGN(const Json missed, client->call(method_name(), {{"after", last_seq_}}));
    for (const Json& event : missed.at("events")) {
      if (number_in(event, "seq") < before) {
        AOE_TRY(print_event(event));
      }
    }
    return {};
  }

  FollowStep on_event(const Json& event) {
    const std::uint64_t seq = number_in(event, "seq");
    // Notices of the connection itself (events.lost) have no number: the gap behind them tells.
    if (seq == 0 || seq <= last_seq_) {
      return FollowStep::more;
    }
    outcome_ = fill_gap(seq);
    if (outcome_) {
      outcome_ = print_event(event);
    }
    last_seq_ = seq;
    return outcome_ ? FollowStep::more : FollowStep::stop;
  }

  bool follow_ = false;
  std::uint64_t last_seq_ = 0;
  Result<void> outcome_;
};

}  // namespace

std::unique_ptr<Command> make_events_command() {
  return std::make_unique<EventsCommand>();
}

}  // namespace aoe::tools
