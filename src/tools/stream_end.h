// A pipe, socket or terminal as one end of a copy.
#pragma once

#include "os/fd.h"
#include "tools/copy_end.h"

#include <memory>
#include <string>

namespace aoe::tools {

[[nodiscard]] std::unique_ptr<CopyEnd> make_stream_end(std::string name, os::Fd fd);

}  // namespace aoe::tools
