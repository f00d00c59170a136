// What a daemon answers, as text: fields we know look nice, fields that are new are not lost.
#pragma once

#include "tools/output.h"

#include <string>

namespace aoe::tools {

// {"exports":[..]} as a table; further fields of the exports only in the wide form.
[[nodiscard]] std::string exports_text(const Json& result, OutputFormat format);

// Any result: scalars as "name: value", lists of objects as tables, objects as sections, in the
// order given. Empty for {} and null. Names ending in _bytes, _sectors and _ns are shown with their
// units.
[[nodiscard]] std::string fields_text(const Json& result);

}  // namespace aoe::tools
