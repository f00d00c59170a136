#include "compat/solaris/json_fields.h"

namespace aoe::compat::solaris {

Json member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return object.is_object() && found != object.end() ? *found : Json();
}

std::string text_of(const Json& object, const char* name) {
  const Json value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& object, const char* name) {
  const Json value = member(object, name);
  return value.is_number_unsigned() || (value.is_number_integer() && value >= 0)
             ? value.get<std::uint64_t>()
             : 0;
}

}  // namespace aoe::compat::solaris
