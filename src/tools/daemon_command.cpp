#include "tools/daemon_command.h"

#include "base/ids.h"
#include "tools/command_line.h"
#include "tools/daemon_view.h"

#include <fmt/format.h>

namespace aoe::tools {

void DaemonCommand::define(CommandLine& line) {
  if (method_.device != DeviceArgument::none) {
    line.positional({"DEVICE", "", place_.device_help}, device_,
                    method_.device == DeviceArgument::needed ? Needed::yes : Needed::no);
  }
  define_more(line);
  line.option({"--control", "PATH", place_.control_help}, control_path_);
  define_timeout(line);
  line.output_option(output_);
  if (*method_.epilogue != '\0') {
    line.epilogue(method_.epilogue);
  }
}

void DaemonCommand::define_timeout(CommandLine& line) {
  line.option({"--timeout", "TIME", "How long to wait for its answer (default 30s)"}, timeout_);
}

Result<Json> DaemonCommand::params() const {
  Json params = Json::object();
  if (!device_.empty()) {
    const auto address = parse_device_address(device_);
    if (!address) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("{}: not a device address (like e7.1)", device_));
    }
    params["address"] = to_string(*address);
  }
  AOE_TRY(add_params(params));
  return params;
}

Result<std::unique_ptr<control::Client>> DaemonCommand::connect() const {
  return control::Client::connect(control_path_, {.timeout = patience()});
}

Result<ExitStatus> DaemonCommand::run() {
  AOE_TRY_ASSIGN(const Json wanted, params());
  AOE_TRY_ASSIGN(const auto client, connect());
  AOE_TRY_ASSIGN(const Json result, client->call(method_.name, wanted));
  AOE_TRY(print_out(output_ == OutputFormat::json ? json_document(result) : text_of(result)));
  return status_of(result);
}

std::string DaemonCommand::text_of(const Json& result) const {
  return method_.answer == Answer::silent ? "" : fields_text(result);
}

}  // namespace aoe::tools
