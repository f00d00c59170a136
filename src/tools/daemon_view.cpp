#include "tools/daemon_view.h"

#include "base/ids.h"
#include "tools/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace aoe::tools {
namespace {

// The daemon's texts may hold what strangers sent (a config string), so nothing goes to the
// terminal as it came.
std::string value_text(std::string_view name, const Json& value) {
  if (value.is_number_unsigned() || (value.is_number_integer() && value >= 0)) {
    const auto number = value.get<std::uint64_t>();
    if (name.ends_with("sectors")) {
      return fmt::format("{} ({})", number, size_text(number * kSectorBytes));
    }
    if (name.ends_with("_bytes")) {
      return fmt::format("{} ({})", number, size_text(number));
    }
    if (name.ends_with("_ns")) {
      return duration_text(Duration{value.get<std::int64_t>()});
    }
  }
  // A list of clients is a number in a table: `show` has them all.
  return printable_text(plain_text(value));
}

std::string cell_text(std::string_view name, const Json& value) {
  if (value.is_number_unsigned() || (value.is_number_integer() && value >= 0)) {
    const auto number = value.get<std::uint64_t>();
    if (name.find("sectors") != std::string_view::npos) {
      return size_text(number * kSectorBytes);
    }
    if (name.ends_with("_ns")) {
      return duration_text(Duration{value.get<std::int64_t>()});
    }
  }
  if (name == "clients" && value.is_array()) {
    return std::to_string(value.size());
  }
  return printable_text(plain_text(value));
}

std::string heading_of(const std::string& name) {
  std::string heading = words_of(name);
  std::transform(heading.begin(), heading.end(), heading.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return heading;
}

bool is_table(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& row) { return row.is_object(); });
}

// The names that occur in any row, those of `first` in front.
std::vector<std::string> field_names(const Json& rows, const std::vector<std::string>& first) {
  std::vector<std::string> names = first;
  for (const Json& row : rows) {
    for (const auto& [name, value] : row.items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

// One row of a table with these columns; empty where the row has no such field.
std::vector<std::string> row_cells(const Json& row, const std::vector<std::string>& names) {
  std::vector<std::string> cells;
  cells.reserve(names.size());
  for (const std::string& name : names) {
    cells.push_back(row.contains(name) ? cell_text(name, row[name]) : "");
  }
  return cells;
}

std::string table_text(const Json& rows) {
  // What a row is about comes first, whatever the alphabet says.
  std::vector<std::string> first;
  for (const char* name : {"address", "interface", "name", "mac"}) {
    if (rows[0].contains(name)) {
      first.emplace_back(name);
    }
  }
  const std::vector<std::string> names = field_names(rows, first);
  std::vector<Table::Column> columns;
  for (const std::string& name : names) {
    const bool number = rows[0].contains(name) && rows[0][name].is_number();
    columns.push_back({heading_of(name), number ? Align::right : Align::left});
  }
  Table table(std::move(columns));
  for (const Json& row : rows) {
    table.add_row(row_cells(row, names));
  }
  return table.layout(OutputFormat::text);
}

// A section is what stands in one object: its title (the names on the way to it), its scalars, then
// its tables and the sections below it. Recursion ends where the control protocol lets answers nest
// no deeper.
void add_sections(std::string& text, const std::string& title, const Json& object) {
  const auto title_of = [&](const std::string& name) {
    return (title.empty() ? "" : title + " ") + printable_text(words_of(name));
  };
  const auto begin_section = [&](const std::string& name) {
    if (!name.empty()) {
      text += (text.empty() ? "" : "\n") + name + ":\n";
    }
  };
  FieldList fields;
  for (const auto& [name, value] : object.items()) {
    if (!is_table(value) && (!value.is_object() || value.empty())) {
      fields.add(printable_text(words_of(name)), value_text(name, value));
    }
  }
  if (const std::string lines = fields.layout(); !lines.empty()) {
    begin_section(title);
    text += lines;
  }
  for (const auto& [name, value] : object.items()) {
    if (is_table(value)) {
      begin_section(title_of(name));
      text += table_text(value);
    } else if (value.is_object() && !value.empty()) {
      add_sections(text, title_of(name), value);
    }
  }
}

}  // namespace

std::string list_text(const Json& rows, std::span<const ListField> fields, OutputFormat format) {
  if (!is_table(rows)) {
    return "";
  }
  std::vector<std::string> known;
  std::vector<Table::Column> columns;
  for (const ListField& field : fields) {
    // A column that this daemon has no values for would only take room.
    if (std::any_of(rows.begin(), rows.end(),
                    [&](const Json& one) { return one.contains(field.name); })) {
      known.emplace_back(field.name);
      columns.push_back({field.heading, field.align, field.wide});
    }
  }
  const std::vector<std::string> names = field_names(rows, known);
  for (std::size_t i = known.size(); i < names.size(); ++i) {
    columns.push_back({heading_of(names[i]), Align::left, true});
  }
  Table table(std::move(columns));
  for (const Json& one : rows) {
    table.add_row(row_cells(one, names));
  }
  return table.layout(format);
}

std::string fields_text(const Json& result) {
  if (result.is_null() || result.empty()) {
    return "";
  }
  if (!result.is_object()) {
    return is_table(result) ? table_text(result) : printable_text(plain_text(result)) + "\n";
  }
  std::string text;
  add_sections(text, "", result);
  return text;
}

}  // namespace aoe::tools
