#include "compat/solaris/channel_table.h"

#include "compat/solaris/target_address.h"
#include "compat/solaris/text_file.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>

namespace aoe::compat::solaris {

std::string ChannelTable::path_of(std::uint32_t number) const {
  return fmt::format("{}/{}", directory_, number);
}

Result<std::vector<Channel>> ChannelTable::active() const {
  std::vector<Channel> channels;
  for (std::uint32_t number = 0; number <= kChannelMax; ++number) {
    const std::string path = path_of(number);
    const auto text = read_text_file(path);
    if (!text) {
      if (text.error().code == Errc::not_found) {
        continue;
      }
      return fail(text.error());
    }
    const AoeConf conf = parse_aoe_conf(*text);
    if (!conf.problems.empty() || conf.channels.size() != 1 || conf.channels[0].number != number) {
      return fail_with(Errc::corrupt, 0,
                       fmt::format("{}: not the state of channel {} (remove it)", path, number));
    }
    channels.push_back(conf.channels.front());
  }
  return channels;
}

Result<void> ChannelTable::save(const Channel& channel) const {
  AOE_TRY(make_directories(directory_));
  return replace_text_file(path_of(channel.number), to_string(channel) + "\n");
}

Result<void> ChannelTable::remove(std::uint32_t number) const {
  const std::string path = path_of(number);
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) {
    return fail(os::os_error(errno, path + ": remove"));
  }
  return {};
}

}  // namespace aoe::compat::solaris
