#include "tools/output.h"

#include "base/check.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace aoe::tools {

void Table::add_row(std::vector<std::string> cells) {
  AOE_CHECK(cells.size() == columns_.size(), "a row has a cell for every column");
  for (std::string& cell : cells) {
    if (cell.empty()) {
      cell = "-";
    }
  }
  rows_.push_back(std::move(cells));
}

std::string Table::layout(OutputFormat format) const {
  constexpr std::size_t kGap = 2;
  std::vector<std::size_t> shown;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].wide && format != OutputFormat::wide) {
      continue;
    }
    std::size_t width = columns_[i].heading.size();
    for (const auto& row : rows_) {
      width = std::max(width, row[i].size());
    }
    shown.push_back(i);
    widths.push_back(width);
  }
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t n = 0; n < shown.size(); ++n) {
      const std::string& cell = cell_of(shown[n]);
      const std::string blanks(widths[n] - cell.size(), ' ');
      line += columns_[shown[n]].align == Align::left ? cell + blanks : blanks + cell;
      line.append(kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](std::size_t i) -> const std::string& { return columns_[i].heading; });
  for (const auto& row : rows_) {
    add_line([&](std::size_t i) -> const std::string& { return row[i]; });
  }
  return text;
}

void FieldList::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

std::string FieldList::layout() const {
  std::size_t width = 0;
  for (const auto& [name, value] : fields_) {
    width = std::max(width, name.size());
  }
  std::string text;
  for (const auto& [name, value] : fields_) {
    text += fmt::format("{:<{}}  {}\n", name + ":", width + 1, value.empty() ? "-" : value);
  }
  return text;
}

std::string json_document(Json body) {
  body["version"] = kJsonVersion;
  return body.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string words_of(std::string_view field_name) {
  std::string words(field_name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string plain_text(const Json& value) {
  if (value.is_null()) {
    return "";
  }
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_boolean()) {
    return value.get<bool>() ? "yes" : "no";
  }
  if (value.is_array()) {
    std::string text;
    for (const Json& element : value) {
      text += (text.empty() ? "" : ",") + plain_text(element);
    }
    return text;
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string hex_dump(std::string_view bytes) {
  constexpr std::size_t kLineBytes = 16;
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += kLineBytes) {
    const std::string_view line = bytes.substr(at, kLineBytes);
    std::string hex;
    std::string ascii;
    for (const char c : line) {
      hex += fmt::format(" {:02x}", static_cast<unsigned char>(c));
      ascii.push_back(c >= ' ' && c <= '~' ? c : '.');
    }
    text += fmt::format("{:04x} {:<{}}  {}\n", at, hex, kLineBytes * 3, ascii);
  }
  return text;
}

Result<void> print_out(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return fail(os::os_error(errno, "standard output: write"));
  }
  return {};
}

void print_error(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
  (void)std::fflush(stderr);
}

}  // namespace aoe::tools
