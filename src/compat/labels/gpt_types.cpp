#include "compat/labels/gpt_types.h"

#include <array>

namespace aoe::labels {
namespace {

constexpr Guid solaris_type(std::uint32_t first) {
  return {{static_cast<std::uint8_t>(first >> 24U), static_cast<std::uint8_t>(first >> 16U & 0xFFU),
           static_cast<std::uint8_t>(first >> 8U & 0xFFU), static_cast<std::uint8_t>(first & 0xFFU),
           0x1d, 0xd2, 0x11, 0xb2, 0x99, 0xa6, 0x08, 0x00, 0x20, 0x73, 0x66, 0x31}};
}

struct TypeName {
  Guid type;
  const char* name;
};

constexpr Guid kUsr = solaris_type(0x6a898cc3);
constexpr Guid kReserved = solaris_type(0x6a945a3b);

constexpr std::array kTypes{
    TypeName{solaris_type(0x6a82cb45), "boot"},
    TypeName{solaris_type(0x6a85cf4d), "root"},
    TypeName{solaris_type(0x6a87c46f), "swap"},
    TypeName{kUsr, "usr"},
    TypeName{solaris_type(0x6a8b642b), "backup"},
    TypeName{solaris_type(0x6a8d2ac7), "stand"},
    TypeName{solaris_type(0x6a8ef2e9), "var"},
    TypeName{solaris_type(0x6a90ba39), "home"},
    TypeName{solaris_type(0x6a9283a5), "alternates"},
    TypeName{kReserved, "reserved"},
    TypeName{solaris_type(0x6a96237f), "unassigned"},
    TypeName{{{0xc1, 0x2a, 0x73, 0x28, 0xf8, 0x1f, 0x11, 0xd2, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e,
               0xc9, 0x3b}},
             "EFI system"},
    TypeName{{{0x21, 0x68, 0x61, 0x48, 0x64, 0x49, 0x6e, 0x6f, 0x74, 0x4e, 0x65, 0x65, 0x64, 0x45,
               0x46, 0x49}},
             "BIOS boot"},
    TypeName{{{0x0f, 0xc6, 0x3d, 0xaf, 0x84, 0x83, 0x47, 0x72, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47,
               0x7d, 0xe4}},
             "Linux data"},
};

}  // namespace

Guid solaris_usr_type() {
  return kUsr;
}

Guid solaris_reserved_type() {
  return kReserved;
}

std::string gpt_type_name(const Guid& type) {
  for (const TypeName& known : kTypes) {
    if (known.type == type) {
      return known.name;
    }
  }
  return to_string(type);
}

}  // namespace aoe::labels
