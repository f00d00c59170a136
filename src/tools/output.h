// What every command prints: aligned tables for people, one JSON document for programs.
#pragma once

#include "base/ids.h"
#include "base/result.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::tools {

using Json = nlohmann::json;

// The version of all JSON that `aoe` prints. It grows when a field changes its meaning or goes; new
// fields do not count.
inline constexpr int kJsonVersion = 1;

enum class OutputFormat : std::uint8_t { text, wide, json };

enum class Align : std::uint8_t { left, right };

// Text in columns. The first row are the headings; columns marked `wide` are left out of the narrow
// form.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::left;
    bool wide = false;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. An empty cell shows as "-".
  void add_row(std::vector<std::string> cells);

  [[nodiscard]] std::size_t row_count() const { return rows_.size(); }

  // Two blanks between columns, none at the end of a line, every line ended. Nothing but the
  // headings when there are no rows.
  [[nodiscard]] std::string layout(OutputFormat format) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "name: value" lines with the values in one column.
class FieldList {
 public:
  void add(std::string name, std::string value);

  [[nodiscard]] std::string layout() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// {"version":1, ..members of `body`}, indented, with its line end. `body` is an object. Bytes that
// are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_document(Json body);

// "serial_number" -> "serial number".
[[nodiscard]] std::string words_of(std::string_view field_name);

// A scalar as people read it; arrays as a comma list; objects as JSON.
[[nodiscard]] std::string plain_text(const Json& value);

// Sixteen bytes a line: offset, hexadecimal, printable ASCII.
[[nodiscard]] std::string hex_dump(std::string_view bytes);

// Writes all of the text to standard output now. Errors: io (a full disk, a closed pipe).
[[nodiscard]] Result<void> print_out(std::string_view text);

// Writes to standard error; what cannot be written there cannot be told anyone.
void print_error(std::string_view text);

}  // namespace aoe::tools
