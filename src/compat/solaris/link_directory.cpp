#include "compat/solaris/link_directory.h"

#include "compat/solaris/disk_names.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

namespace aoe::compat::solaris {
namespace {

namespace fs = std::filesystem;

Result<void> make_link(const std::string& path, const std::string& target) {
  const std::string beside = path + ".new";
  (void)::unlink(beside.c_str());
  if (::symlink(target.c_str(), beside.c_str()) < 0) {
    return fail(os::os_error(errno, beside + ": make a link"));
  }
  if (std::rename(beside.c_str(), path.c_str()) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: rename to {}", beside, path)));
  }
  return {};
}

Result<void> remove_stale(const std::string& path,
                          const std::map<std::string, std::string>& links) {
  std::vector<fs::path> stale;
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    std::error_code ignored;
    if (is_disk_name(name) && links.count(name) == 0 && at->is_symlink(ignored)) {
      stale.push_back(at->path());
    }
  }
  for (std::size_t i = 0; !error && i < stale.size(); ++i) {
    fs::remove(stale[i], error);
  }
  return error ? fail(os::os_error(error.value(), path + ": remove old links")) : Result<void>{};
}

}  // namespace

Result<void> keep_links(const std::string& path, const std::map<std::string, std::string>& links) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return fail(os::os_error(error.value(), path + ": make the directory"));
  }
  AOE_TRY(remove_stale(path, links));
  for (const auto& [name, target] : links) {
    const std::string link = fmt::format("{}/{}", path, name);
    const fs::file_status status = fs::symlink_status(link, error);
    if (fs::exists(status) && !fs::is_symlink(status)) {
      return fail_with(Errc::already_exists, 0, link + ": is no link");
    }
    if (!fs::exists(status) || fs::read_symlink(link, error) != target) {
      AOE_TRY(make_link(link, target));
    }
  }
  return {};
}

}  // namespace aoe::compat::solaris
