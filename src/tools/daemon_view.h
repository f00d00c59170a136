// What a daemon answers, as text: fields we know look nice, fields that are new are not lost.
#pragma once

#include "tools/output.h"

#include <span>
#include <string>

namespace aoe::tools {

// A column of a list: the field of its objects, and how it is shown.
struct ListField {
  const char* name = "";
  const char* heading = "";
  Align align = Align::left;
  bool wide = false;  // only in the wide form
};

// An array of objects as a table: the fields that are known, as far as any object has them; in the
// wide form all further ones too. Empty for anything else.
[[nodiscard]] std::string list_text(const Json& rows, std::span<const ListField> fields,
                                    OutputFormat format);

// Any result: scalars as "name: value", lists of objects as tables, objects as sections, in the
// order given. Empty for {} and null. Names ending in _bytes, _sectors and _ns are shown with their
// units.
[[nodiscard]] std::string fields_text(const Json& result);

}  // namespace aoe::tools
