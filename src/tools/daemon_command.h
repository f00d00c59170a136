// Commands that ask a daemon: one method of its control socket each.
#pragma once

#include "base/time.h"
#include "control/client.h"
#include "tools/command.h"
#include "tools/output.h"

#include <cstdint>
#include <memory>
#include <string>

namespace aoe::tools {

// Which daemon, and how its devices are called in help texts.
struct DaemonPlace {
  const char* socket = "";  // where it listens by default
  const char* device_help = "";
  const char* control_help = "";
};

inline constexpr DaemonPlace kTargetDaemon{
    "/run/aoekit/target.sock", "Export (e7.1)",
    "Control socket of the daemon (default /run/aoekit/target.sock)"};
inline constexpr DaemonPlace kInitiatorDaemon{
    "/run/aoekit/initiator.sock", "Device (e7.1)",
    "Control socket of the daemon (default /run/aoekit/initiator.sock)"};

enum class DeviceArgument : std::uint8_t { none, optional, needed };

// Whether the text form shows the answer, or success is silent.
enum class Answer : std::uint8_t { shown, silent };

struct DaemonMethod {
  const char* name = "";  // "target.list"
  DeviceArgument device = DeviceArgument::none;
  const char* epilogue = "";
  Answer answer = Answer::shown;
};

// The arguments become the method's parameters, its result is printed.
class DaemonCommand : public Command {
 public:
  DaemonCommand(const DaemonPlace& place, const DaemonMethod& method)
      : place_(place), method_(method), control_path_(place.socket) {}

  void define(CommandLine& line) override;
  Result<ExitStatus> run() override;

 protected:
  virtual void define_more(CommandLine& /*line*/) {}

  [[nodiscard]] virtual Result<void> add_params(Json& /*params*/) const { return {}; }

  // What people see. By default: what the daemon says, and nothing where it says nothing.
  [[nodiscard]] virtual std::string text_of(const Json& result) const;

  // By default: ok.
  [[nodiscard]] virtual ExitStatus status_of(const Json& /*result*/) const {
    return ExitStatus::ok;
  }

  // "--timeout" means something else to a command that waits for an event.
  virtual void define_timeout(CommandLine& line);

  [[nodiscard]] virtual Duration patience() const { return timeout_; }

  [[nodiscard]] OutputFormat output() const { return output_; }

  [[nodiscard]] Result<std::unique_ptr<control::Client>> connect() const;
  // The method's parameters as the arguments say. Errors: invalid_argument.
  [[nodiscard]] Result<Json> params() const;

  [[nodiscard]] const char* method_name() const { return method_.name; }

  Duration timeout_ = Duration::seconds(30);

 private:
  DaemonPlace place_;
  DaemonMethod method_;
  std::string device_;
  std::string control_path_;
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace aoe::tools
