#include "tools/version.h"

#include "tools/command_line.h"
#include "tools/output.h"
#include "tools/project_version.h"

#include <fmt/format.h>

namespace aoe::tools {
namespace {

class VersionCommand final : public Command {
 public:
  void define(CommandLine& line) override { line.output_option(output_); }

  Result<ExitStatus> run() override {
    AOE_TRY(print_out(output_ == OutputFormat::json
                          ? json_document({{"program", "aoe"}, {"release", project_version()}})
                          : fmt::format("aoe {}\n", project_version())));
    return ExitStatus::ok;
  }

 private:
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::unique_ptr<Command> make_version_command() {
  return std::make_unique<VersionCommand>();
}

}  // namespace aoe::tools
