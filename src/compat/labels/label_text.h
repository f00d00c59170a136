// A label as people read it.
#pragma once

#include "compat/labels/label_reader.h"

#include <string>

namespace aoe::labels {

// Lines "name: value", a table of the slices, and the problems, each with its line end. Bytes from
// the disk are printable.
[[nodiscard]] std::string label_text(const LabelReport& report);

}  // namespace aoe::labels
