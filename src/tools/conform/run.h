// Runs the checks in order and says what they found.
#pragma once

#include "tools/conform/check.h"
#include "tools/output.h"

#include <string>
#include <vector>

namespace aoe::tools::conform {

class Subject;

struct CheckResult {
  const Check* check = nullptr;
  Verdict verdict = Verdict::not_tried;
  std::string detail;
};

struct RunOptions {
  bool is_destructive = false;  // also the checks that touch state
  std::string only{};           // names that begin with this; empty: all
};

// Every check has a result. After each one that was tried the target has to answer still: one that
// does not makes the check dangerous, and the rest is not tried.
[[nodiscard]] std::vector<CheckResult> run_checks(Subject& subject, const RunOptions& options);

// "37 right, 4 wrong, 2 dangerous, 12 not tried".
[[nodiscard]] std::string summary_text(const std::vector<CheckResult>& results);

// False, too, when nothing could be tried: that says nothing good of a target.
[[nodiscard]] bool is_all_right(const std::vector<CheckResult>& results);

[[nodiscard]] std::string results_text(const std::vector<CheckResult>& results,
                                       OutputFormat format);
// {"checks": [..], "right": n, "wrong": n, "dangerous": n, "not_tried": n}
[[nodiscard]] Json results_json(const std::vector<CheckResult>& results);

}  // namespace aoe::tools::conform
