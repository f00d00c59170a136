#include "frontends/block/nbd_front_end.h"
#include "frontends/block/nbd_handshake.h"
#include "frontends/block/ublk_front_end.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace aoe::block {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

using Bytes = std::vector<std::byte>;

void add(Bytes& to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) {
    to.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
}

Bytes greeting(std::uint16_t flags) {
  Bytes bytes;
  add(bytes, 0x4e42444d41474943, 8);
  add(bytes, 0x49484156454f5054, 8);
  add(bytes, flags, 2);
  return bytes;
}

Bytes reply(std::uint32_t type, const Bytes& data, std::uint32_t option = 7) {
  Bytes bytes;
  add(bytes, 0x0003e889045565a9, 8);
  add(bytes, option, 4);
  add(bytes, type, 4);
  add(bytes, data.size(), 4);
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

Bytes export_info(std::uint64_t size, std::uint16_t flags) {
  Bytes bytes;
  add(bytes, 0, 2);
  add(bytes, size, 8);
  add(bytes, flags, 2);
  return bytes;
}

Bytes block_size_info(std::uint32_t minimum) {
  Bytes bytes;
  add(bytes, 3, 2);
  add(bytes, minimum, 4);
  add(bytes, 4096, 4);
  add(bytes, 1 << 25, 4);
  return bytes;
}

// Says all of it, whatever the client says.
Result<NbdExport> negotiate_with(const std::vector<Bytes>& script) {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  for (const Bytes& part : script) {
    EXPECT_EQ(::write(ends[1], part.data(), part.size()), static_cast<ssize_t>(part.size()));
  }
  (void)::shutdown(ends[1], SHUT_WR);
  auto found = negotiate(ends[0]);
  (void)::close(ends[0]);
  (void)::close(ends[1]);
  return found;
}

TEST(NbdHandshake, FindsSizeAndFlags) {
  Bytes unknown;
  add(unknown, 99, 2);
  const auto found = negotiate_with({greeting(3), reply(3, block_size_info(512)), reply(3, unknown),
                                     reply(3, export_info(1ULL << 40U, 0x016d)), reply(1, {})});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->bytes, 1ULL << 40U);
  EXPECT_EQ(found->flags, 0x016d);
  EXPECT_NE(found->flags & kNbdMultiConn, 0);
}

TEST(NbdHandshake, AsksForTheExportWithoutAName) {
  Bytes expected;
  add(expected, 1, 4);                   // client flags: fixed newstyle
  add(expected, 0x49484156454f5054, 8);  // IHAVEOPT
  add(expected, 7, 4);                   // NBD_OPT_GO
  add(expected, 8, 4);
  add(expected, 0, 4);
  add(expected, 1, 2);
  add(expected, 3, 2);  // NBD_INFO_BLOCK_SIZE
  EXPECT_EQ(encode_go(), expected);
}

TEST(NbdHandshake, StrangeServersAreRefusedWithAReason) {
  Bytes words;
  for (const char letter : std::string("go away")) {
    words.push_back(static_cast<std::byte>(letter));
  }
  Bytes damaged = reply(1, {});
  damaged[0] = std::byte{1};
  Bytes huge = reply(3, {});
  huge[16] = std::byte{1};
  Bytes short_info;
  add(short_info, 0, 1);
  for (const auto& [script, code, text] :
       std::vector<std::tuple<std::vector<Bytes>, Errc, const char*>>{
           {{greeting(2)}, Errc::unsupported, "fixed newstyle"},
           {{Bytes(18)}, Errc::unsupported, "fixed newstyle"},
           {{Bytes(5)}, Errc::io, "hung up"},
           {{greeting(1), reply(0x80000006, words)}, Errc::unavailable, "error 6): go away"},
           {{greeting(1), damaged}, Errc::corrupt, "malformed"},
           {{greeting(1), huge}, Errc::corrupt, "malformed"},
           {{greeting(1), reply(1, {}, 6)}, Errc::corrupt, "malformed"},
           {{greeting(1), reply(3, short_info)}, Errc::corrupt, "malformed"},
           {{greeting(1), reply(3, Bytes(11))}, Errc::corrupt, "malformed"},
           {{greeting(1), reply(3, block_size_info(4096))}, Errc::unsupported, "4096 bytes"},
           {{greeting(1), reply(3, export_info(512, 1))}, Errc::io, "hung up"}}) {
    const auto found = negotiate_with(script);
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().code, code) << text;
    EXPECT_THAT(found.error().message, HasSubstr(text));
  }
}

TEST(Nbdkit, IsTheDevicesAlone) {
  const Source source{.address = {Shelf{7}, Slot{1}},
                      .file = "/m/e7.1",
                      .uri = "aoe://eth1/e7.1",
                      .access = Access::read_write};
  const NbdkitPlaces places{.plugin = "aoe", .socket = "/s", .pid_file = "/p"};
  const auto words = nbdkit_arguments(source, places);
  EXPECT_EQ(words.front(), "nbdkit");
  EXPECT_THAT(words, Contains("/s"));
  EXPECT_THAT(words, Contains("--filter=exitlast"));
  EXPECT_THAT(words, Contains("--swap"));
  EXPECT_THAT(words, Not(Contains("--readonly")));
  EXPECT_EQ(words.back(), "uri=aoe://eth1/e7.1");
  Source read_only = source;
  read_only.access = Access::read_only;
  EXPECT_THAT(nbdkit_arguments(read_only, places), Contains("--readonly"));
}

TEST(Nbdkit, WithoutOurPluginIsNoWay) {
  const aoe::testing::TempDir directory;
  const NbdkitInstallation installation{.program = directory.path("nbdkit"), .plugin = "aoe"};
  std::ofstream(installation.program) << "#!/bin/sh\n"
                                         "[ \"$*\" = \"--dump-plugin aoe\" ] || exit 0\n"
                                         "echo \"nbdkit: error: cannot open plugin 'aoe'\" >&2\n"
                                         "exit 1\n";
  std::filesystem::permissions(installation.program, std::filesystem::perms::owner_all);
  const auto lacks = check_nbdkit(installation);
  ASSERT_FALSE(lacks);
  EXPECT_EQ(lacks.error().code, Errc::unsupported);
  EXPECT_EQ(lacks.error().message,
            "nbdkit cannot load the plugin of this package: cannot open plugin 'aoe'");
  EXPECT_TRUE(check_nbdkit({.program = installation.program, .plugin = "another"}));
  EXPECT_EQ(check_nbdkit({.program = directory.path("none"), .plugin = "aoe"}).error().code,
            Errc::not_found);
}

TEST(Complaints, AreOneLineWithoutTheProgramsName) {
  EXPECT_EQ(
      nbdkit_complaint("nbdkit: debug\nnbdkit: error: aoe_open: e7.1: no target\nnbdkit: hint"),
      "aoe_open: e7.1: no target");
  EXPECT_EQ(nbdkit_complaint("nbdkit: no such thing\nnbdkit: hint"), "no such thing");
  EXPECT_EQ(nbdkit_complaint(""), "it says nothing");
  EXPECT_EQ(ublk_complaint("aoe-ublk: aoe_open: e7.1: no target"), "aoe_open: e7.1: no target");
  EXPECT_THAT(ublk_complaint(""), HasSubstr("says nothing"));
}

}  // namespace
}  // namespace aoe::block
