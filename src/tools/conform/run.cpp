#include "tools/conform/run.h"

#include "tools/conform/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace aoe::tools::conform {
namespace {

CheckResult run_one(Subject& subject, const Check& check) {
  const Finding finding = check.run(subject);
  if (!finding.is_tried) {
    return {&check, Verdict::not_tried, finding.detail};
  }
  if (!subject.is_alive()) {
    return {&check, Verdict::dangerous,
            "after this it does not answer any more" +
                (finding.is_broken ? " (" + finding.detail + ")" : std::string{})};
  }
  return {&check, finding.is_broken ? check.when_broken : Verdict::right, finding.detail};
}

std::size_t count_of(const std::vector<CheckResult>& results, Verdict verdict) {
  return static_cast<std::size_t>(std::ranges::count(
      results, verdict, [](const CheckResult& result) { return result.verdict; }));
}

const char* json_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::right:
      return "right";
    case Verdict::wrong:
      return "wrong";
    case Verdict::dangerous:
      return "dangerous";
    case Verdict::not_tried:
      break;
  }
  return "not_tried";
}

}  // namespace

std::vector<CheckResult> run_checks(Subject& subject, const RunOptions& options) {
  std::vector<CheckResult> results;
  bool is_gone = !subject.learn();
  for (const auto checks :
       {header_checks(), config_checks(), ata_checks(), write_checks(), list_checks()}) {
    for (const Check& check : checks) {
      if (!std::string_view(check.name).starts_with(options.only)) {
        continue;
      }
      if (is_gone) {
        results.push_back({&check, Verdict::not_tried, "it does not answer any more"});
      } else if (check.touches == Touches::state && !options.is_destructive) {
        results.push_back({&check, Verdict::not_tried, "needs --destructive"});
      } else {
        results.push_back(run_one(subject, check));
        is_gone = results.back().verdict == Verdict::dangerous && !subject.is_alive();
      }
    }
  }
  return results;
}

std::string summary_text(const std::vector<CheckResult>& results) {
  return fmt::format("{} right, {} wrong, {} dangerous, {} not tried",
                     count_of(results, Verdict::right), count_of(results, Verdict::wrong),
                     count_of(results, Verdict::dangerous), count_of(results, Verdict::not_tried));
}

bool is_all_right(const std::vector<CheckResult>& results) {
  return count_of(results, Verdict::right) > 0 && count_of(results, Verdict::wrong) == 0 &&
         count_of(results, Verdict::dangerous) == 0;
}

std::string results_text(const std::vector<CheckResult>& results, OutputFormat format) {
  Table table({{"CHECK"},
               {"VERDICT"},
               {"RULE", Align::left, true},
               {"SOURCE", Align::left, true},
               {"FOUND"}});
  for (const CheckResult& result : results) {
    table.add_row({result.check->name, verdict_text(result.verdict), result.check->rule,
                   result.check->source, result.detail});
  }
  return table.layout(format);
}

Json results_json(const std::vector<CheckResult>& results) {
  Json list = Json::array();
  for (const CheckResult& result : results) {
    list.push_back({{"name", result.check->name},
                    {"verdict", json_name(result.verdict)},
                    {"rule", result.check->rule},
                    {"source", result.check->source},
                    {"found", result.detail}});
  }
  Json body{{"checks", std::move(list)}};
  for (const Verdict verdict :
       {Verdict::right, Verdict::wrong, Verdict::dangerous, Verdict::not_tried}) {
    body[json_name(verdict)] = count_of(results, verdict);
  }
  return body;
}

}  // namespace aoe::tools::conform
