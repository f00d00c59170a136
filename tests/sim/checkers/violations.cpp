#include "sim/checkers/violations.h"

namespace aoe::sim {

const char* rule_name(Rule rule) {
  switch (rule) {
    case Rule::linearizable:
      return "linearizable";
    case Rule::durable:
      return "durable";
    case Rule::stale_execution:
      return "stale-execution";
    case Rule::exactly_once:
      return "exactly-once";
    case Rule::completion:
      return "completion";
    case Rule::wrong_answer:
      return "wrong-answer";
    case Rule::fencing:
      return "fencing";
    case Rule::bounds:
      return "bounds";
    case Rule::buffers:
      return "buffers";
    case Rule::progress:
      return "progress";
    case Rule::user_error:
      return "user-error";
  }
  return "?";
}

std::string Violations::text() const {
  std::string text;
  for (const Violation& violation : first_) {
    text += std::to_string(violation.at.ns) + " ns: " + rule_name(violation.rule) + ": " +
            violation.what + "\n";
  }
  if (count_ > first_.size()) {
    text += "and " + std::to_string(count_ - first_.size()) + " more\n";
  }
  return text;
}

}  // namespace aoe::sim
