// What the partitions of EFI labels are for, by their type GUIDs.
#pragma once

#include "compat/labels/gpt.h"

#include <string>

namespace aoe::labels {

// All of Solaris end in -1dd2-11b2-99a6-080020736631 (protocol.md 5.3).
[[nodiscard]] Guid solaris_usr_type();
[[nodiscard]] Guid solaris_reserved_type();

// "usr", "reserved", "EFI system"; the GUID itself when nobody here knows it.
[[nodiscard]] std::string gpt_type_name(const Guid& type);

}  // namespace aoe::labels
