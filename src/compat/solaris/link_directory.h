// A directory of links with the names of disks.
#pragma once

#include "base/result.h"

#include <map>
#include <string>

namespace aoe::compat::solaris {

// Makes `path`, which may be missing, hold exactly `links` (name -> target) and what is no link
// with a name of disk_names.h. What is right already is not touched; a wrong link is replaced at
// once. Errors: those of the system calls, with the path; already_exists, for something with such a
// name that is no link.
[[nodiscard]] Result<void> keep_links(const std::string& path,
                                      const std::map<std::string, std::string>& links);

}  // namespace aoe::compat::solaris
