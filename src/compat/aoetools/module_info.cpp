#include "compat/aoetools/module_info.h"

#include "compat/aoetools/files.h"

#include <array>
#include <cstdio>
#include <memory>

namespace aoe::compat::aoetools {
namespace {

struct PipeClose {
  void operator()(std::FILE* pipe) const { ::pclose(pipe); }
};

std::string last_word(std::string_view line) {
  const auto words = split_words(line);
  return words.empty() ? std::string() : words.back();
}

}  // namespace

std::string module_info() {
  // From a directory without a file "aoe", which modinfo would take for the module.
  const std::unique_ptr<std::FILE, PipeClose> pipe(
      ::popen("cd /sys && modinfo aoe 2>/dev/null", "re"));
  std::string text;
  std::array<char, 4096> piece{};
  while (pipe) {
    const std::size_t bytes = std::fread(piece.data(), 1, piece.size(), pipe.get());
    if (bytes == 0) {
      break;
    }
    text.append(piece.data(), bytes);
  }
  return text;
}

std::string installed_version(std::string_view info) {
  std::string of_module;
  while (!info.empty()) {
    const std::size_t end = std::min(info.find('\n'), info.size());
    const std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (line.starts_with("parm:") && line.find("version:aoe module") != std::string_view::npos &&
        line.find("srcversion") == std::string_view::npos) {
      return last_word(line);
    }
    if (line.starts_with("version:") && of_module.empty()) {
      of_module = last_word(line);
    }
  }
  return of_module;
}

}  // namespace aoe::compat::aoetools
