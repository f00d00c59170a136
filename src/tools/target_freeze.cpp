#include "tools/target_freeze.h"

#include "base/ids.h"
#include "os/clock.h"
#include "tools/command_line.h"
#include "tools/daemon_command.h"
#include "tools/progress.h"
#include "tools/stop_signal.h"
#include "tools/values.h"
#include "tools/window_copy.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::tools {
namespace {

// How often a command looks while it waits for the daemon.
constexpr Duration kLook = Duration::milliseconds(100);

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t number_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// "none" where nothing is frozen.
std::string freeze_state(const Json& show) {
  const auto freeze = show.find("freeze");
  return freeze == show.end() ? "none" : text_in(*freeze, "state");
}

class FreezeCommand final : public DaemonCommand {
 public:
  FreezeCommand()
      : DaemonCommand(kTargetDaemon,
                      {"target.freeze", DeviceArgument::needed,
                       "From then on the file or block device stays as it is, and any program may\n"
                       "copy it; initiators go on, and what they write goes into the shadow. It "
                       "stays frozen\nover restarts of the daemon, until thaw.",
                       Answer::silent}) {}
};

class ThawCommand final : public DaemonCommand {
 public:
  ThawCommand()
      : DaemonCommand(kTargetDaemon, {"target.thaw", DeviceArgument::needed,
                                      "Puts what was written meanwhile into the file or block "
                                      "device, in the background.\nHow far it is: aoe target show.",
                                      Answer::silent}) {}

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const Json wanted, params());
    AOE_TRY_ASSIGN(const auto client, connect());
    AOE_TRY(client->call(method_name(), wanted));
    if (!wait_) {
      return ExitStatus::ok;
    }
    AOE_TRY_ASSIGN(StopSignal stop, StopSignal::install());
    std::optional<Progress> progress;
    for (;;) {
      AOE_TRY_ASSIGN(const Json show, client->call("target.show", wanted));
      if (freeze_state(show) == "none") {
        return ExitStatus::ok;
      }
      const Json& freeze = show.at("freeze");
      if (const std::string error = text_in(freeze, "error"); !error.empty()) {
        progress.reset();
        return fail_with(Errc::io, 0,
                         fmt::format("{}: thaw: it stands still: {} (see the daemon's log)",
                                     text_in(wanted, "address"), error));
      }
      if (!progress) {
        progress.emplace(100, Progress::Show::on_terminal);
      }
      progress->update(number_in(freeze, "thawed_percent"));
      if (stop.wait(kLook)) {
        progress.reset();
        return fail_with(
            Errc::io, 0,
            fmt::format("{}: thaw: it goes on in the background", text_in(wanted, "address")));
      }
    }
  }

 protected:
  void define_more(CommandLine& line) override {
    line.option({"--rate", "SIZE",
                 "Copy at most so many bytes a second, 0: no limit (default: thaw_rate of the "
                 "export)"},
                rate_);
    line.flag({"--wait", "", "Return when it is done and the shadow is gone"}, wait_);
  }

  [[nodiscard]] Result<void> add_params(Json& params) const override {
    if (rate_) {
      params["bytes_per_second"] = rate_->bytes;
    }
    return {};
  }

 private:
  std::optional<ByteCount> rate_;
  bool wait_ = false;
};

class BackupCommand : public DaemonCommand {
 public:
  BackupCommand()
      : BackupCommand(
            {"target.freeze", DeviceArgument::needed,
             "Freezes the export, copies its file or block device, and thaws it. FILE "
             "appears\nwhen all of it is there, on stable storage. Where the file system can, it "
             "shares its blocks\nwith the store. Runs on the machine of the daemon, by a user who "
             "may read the store. An\nexport that was frozen before stays frozen.\n\n"
             "  aoe target backup e7.1 /backup/e7.1.img",
             Answer::silent}) {}

  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const Json wanted, params());
    AOE_TRY_ASSIGN(StopSignal stop, StopSignal::install());
    AOE_TRY_ASSIGN(const auto client, connect());
    AOE_TRY_ASSIGN(const Json before, client->call("target.show", wanted));
    AOE_TRY_ASSIGN(const Json frozen, client->call("target.freeze", wanted));
    const auto copied = copy(before, stop);
    const auto kept = copied ? keep(*client, wanted, text_in(frozen, "layer")) : copied;
    // Whatever came of it: nobody wants a disk that stays frozen because a backup failed.
    const auto thawed = freeze_state(before) == "frozen" ? Result<Json>(Json::object())
                                                         : client->call("target.thaw", wanted);
    AOE_TRY(kept);
    AOE_TRY(thawed);
    return finish(*client, before);
  }

 protected:
  void define_more(CommandLine& line) override {
    line.positional({"FILE", "", "Where to: a new file, or one to replace"}, destination_,
                    Needed::yes);
    line.flag({"-q,--quiet", "", "No progress and no summary"}, quiet_);
  }

  explicit BackupCommand(const DaemonMethod& method) : DaemonCommand(kTargetDaemon, method) {}

  // The copy is there; `show`: what it is a copy of.
  [[nodiscard]] virtual Result<ExitStatus> finish(control::Client& /*client*/,
                                                  const Json& /*show*/) const {
    return ExitStatus::ok;
  }

  [[nodiscard]] const std::string& destination() const { return destination_; }

 private:
  Result<void> copy(const Json& show, StopSignal& stop) {
    std::string source = text_in(show, "store");
    if (constexpr std::string_view kFile = "file:"; source.starts_with(kFile)) {
      source.erase(0, kFile.size());
    }
    const std::uint64_t size_bytes = number_in(show, "size_sectors") * kSectorBytes;
    const Instant start = os::monotonic_now();
    Progress progress(size_bytes, quiet_ ? Progress::Show::never : Progress::Show::on_terminal);
    const WindowCopy window{.source = source,
                            .offset_bytes = number_in(show, "store_offset_bytes"),
                            .size_bytes = size_bytes,
                            .destination = destination_,
                            .goes_on = [&](std::uint64_t done) {
                              progress.update(done);
                              return !stop.requested();
                            }};
    if (auto cloned = clone_window(window); cloned) {
      progress.clear();
      if (!quiet_) {
        print_error(fmt::format("aoe: {} shares its blocks with {}\n", destination_, source));
      }
      return {};
    } else if (cloned.error().code != Errc::unsupported) {
      return fail(std::move(cloned).error());
    }
    AOE_TRY(copy_window(window));
    progress.clear();
    if (!quiet_) {
      const Duration elapsed = os::monotonic_now() - start;
      print_error(fmt::format("aoe: copied {} bytes ({}) in {}, {}\n", size_bytes,
                              size_text(size_bytes), duration_text(elapsed),
                              rate_text(size_bytes, elapsed)));
    }
    return {};
  }

  // The frozen state may have been given up while it was copied.
  Result<void> keep(control::Client& client, const Json& wanted, const std::string& layer) const {
    const auto after = client.call("target.show", wanted);
    const bool is_same =
        after && freeze_state(*after) == "frozen" && text_in(after->at("freeze"), "layer") == layer;
    if (!is_same) {
      drop_copy(destination_);
      return fail_with(
          Errc::io, 0,
          fmt::format("{}: backup: it did not stay frozen until the end: the copy is "
                      "worth nothing and was removed (the shadow was full, or somebody "
                      "thawed it)",
                      text_in(wanted, "address")));
    }
    return keep_copy(destination_);
  }

  std::string destination_;
  bool quiet_ = false;
};

class CloneCommand final : public BackupCommand {
 public:
  CloneCommand()
      : BackupCommand(
            {"target.freeze", DeviceArgument::needed,
             "Copies the export to FILE like backup, and exports FILE at another address, with "
             "the\n"
             "same settings, until the daemon ends or unexport; the config file is not changed.\n\n"
             "  aoe target clone e7.1 e7.2 /srv/e7.2.img",
             Answer::silent}) {}

 protected:
  void define_more(CommandLine& line) override {
    line.positional({"NEW", "", "Where the copy is exported (e7.2)"}, address_, Needed::yes);
    BackupCommand::define_more(line);
  }

  [[nodiscard]] Result<void> add_params(Json& /*params*/) const override {
    if (!parse_device_address(address_)) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("{}: not a device address (like e7.1)", address_));
    }
    if (std::error_code error; std::filesystem::exists(destination(), error)) {
      return fail_with(
          Errc::already_exists, 0,
          fmt::format("{}: clone: it is there already, and may be in use (take another "
                      "name)",
                      destination()));
    }
    return {};
  }

  [[nodiscard]] Result<ExitStatus> finish(control::Client& client,
                                          const Json& show) const override {
    Json options = {{"mode", text_in(show, "mode")}, {"allow", allow_text(show)}};
    if (const std::uint64_t buffers = number_in(show, "buffers"); buffers != 0) {
      options["buffers"] = std::to_string(buffers);
    }
    const auto path = std::filesystem::absolute(destination()).string();
    AOE_TRY(client.call("target.export", {{"address", to_string(*parse_device_address(address_))},
                                          {"store", "file:" + path},
                                          {"options", std::move(options)}}));
    return ExitStatus::ok;
  }

 private:
  static std::string allow_text(const Json& show) {
    const auto allow = show.find("allow");
    if (allow == show.end() || !allow->is_array()) {
      return "any";
    }
    std::string text;
    for (const Json& mac : *allow) {
      text += (text.empty() ? "" : "+") + mac.get<std::string>();
    }
    return text;
  }

  std::string address_;
};

class EventsCommand final : public DaemonCommand {
 public:
  EventsCommand()
      : DaemonCommand(kTargetDaemon,
                      {"events.follow", DeviceArgument::none,
                       "What happens from now on, a line each, until it is interrupted; with -o "
                       "json a\ndocument a line. What happened earlier is in the daemon's log."}) {}

  Result<ExitStatus> run() override {
    using FollowStep = control::Client::FollowStep;
    AOE_TRY_ASSIGN(const auto client, connect());
    Result<void> printed;
    AOE_TRY(client->follow([this, &printed](const Json& event) {
      const std::string text = text_in(event, "text");
      const bool as_json = output() == OutputFormat::json || text.empty();
      printed = print_out((as_json ? event.dump(-1, ' ', false, Json::error_handler_t::replace)
                                   : printable_text(text)) +
                          "\n");
      return printed ? FollowStep::more : FollowStep::stop;
    }));
    AOE_TRY(printed);
    return ExitStatus::ok;
  }
};

}  // namespace

std::unique_ptr<Command> make_target_freeze_command() {
  return std::make_unique<FreezeCommand>();
}

std::unique_ptr<Command> make_target_thaw_command() {
  return std::make_unique<ThawCommand>();
}

std::unique_ptr<Command> make_target_backup_command() {
  return std::make_unique<BackupCommand>();
}

std::unique_ptr<Command> make_target_clone_command() {
  return std::make_unique<CloneCommand>();
}

std::unique_ptr<Command> make_target_events_command() {
  return std::make_unique<EventsCommand>();
}

}  // namespace aoe::tools
