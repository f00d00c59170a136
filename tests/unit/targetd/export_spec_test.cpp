#include "targetd/export_spec.h"

#include "support/diagnostics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace aoe::targetd {
namespace {

using config::Diagnostics;
using config::lines_of;

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ExportConfig parse_good(std::string_view text) {
  Diagnostics diagnostics;
  const auto spec = parse_export_spec(text, "-e", diagnostics);
  EXPECT_THAT(lines_of(diagnostics.errors), IsEmpty()) << text;
  return spec ? spec->config : ExportConfig{};
}

std::vector<std::string> errors_of(std::string_view text) {
  Diagnostics diagnostics;
  (void)parse_export_spec(text, "-e", diagnostics);
  return lines_of(diagnostics.errors);
}

TEST(ExportSpec, AddressAndStoreAreEnough) {
  const ExportConfig config = parse_good("7.1=/srv/a.img");
  EXPECT_EQ(to_string(config.address), "e7.1");
  EXPECT_EQ(config.store, "/srv/a.img");
  EXPECT_EQ(config.mode, ExportMode::write_through);
  EXPECT_EQ(config.buffers, 64U);
  EXPECT_EQ(config.offset_sectors, 0U);
  EXPECT_EQ(config.length_sectors, std::nullopt);
  EXPECT_EQ(config.direct, DirectIo::automatic);
  EXPECT_TRUE(config.allow.any);
  EXPECT_EQ(config.remote_admin.who, RemoteAdmin::Who::initiators);
  EXPECT_FALSE(config.start_offline);
  EXPECT_EQ(config.origin, "-e 7.1=/srv/a.img");
}

TEST(ExportSpec, EveryKeyReachesItsField) {
  const ExportConfig config = parse_good(
      "e65534.254=memory:1G,mode=write-back,buffers=65535,offset=8,length=1M,direct=off,cache=64M,"
      "allow=02:00:00:00:0a:10+020000000a11,remote_admin=02-00-00-00-0A-10,shadow=/s,model=My disk,"
      "serial=S=1,interfaces=eth1+eth2.100,start_offline=true");
  EXPECT_EQ(to_string(config.address), "e65534.254");
  EXPECT_EQ(config.store, "memory:1G");
  EXPECT_EQ(config.mode, ExportMode::write_back);
  EXPECT_EQ(config.buffers, 65535U);
  EXPECT_EQ(config.offset_sectors, 8U);
  EXPECT_EQ(config.length_sectors, 2048U);
  EXPECT_EQ(config.direct, DirectIo::off);
  EXPECT_EQ(config.cache_bytes, 67108864U);
  EXPECT_FALSE(config.allow.any);
  ASSERT_EQ(config.allow.macs.size(), 2U);
  EXPECT_EQ(to_string(config.allow.macs[1]), "02:00:00:00:0a:11");
  EXPECT_EQ(config.remote_admin.who, RemoteAdmin::Who::listed);
  ASSERT_EQ(config.remote_admin.macs.size(), 1U);
  EXPECT_EQ(config.shadow, "/s");
  EXPECT_EQ(config.model, "My disk");
  EXPECT_EQ(config.serial, "S=1");
  EXPECT_THAT(config.interfaces, ElementsAre("eth1", "eth2.100"));
  EXPECT_TRUE(config.start_offline);
}

TEST(ExportSpec, EscapesGiveCommasAndBackslashes) {
  EXPECT_EQ(parse_good(R"(7.1=/srv/a\,b=c.img)").store, "/srv/a,b=c.img");
  EXPECT_EQ(parse_good(R"(7.1=/dev/disk\x2da)").store, R"(/dev/disk\x2da)");
  EXPECT_EQ(parse_good(R"(7.1=/a\\,mode=read-only)").store, R"(/a\)");
  EXPECT_EQ(parse_good(R"(7.1=/a\)").store, R"(/a\)");
  EXPECT_EQ(parse_good("7.1=/srv/\xc3\xa4.img").store, "/srv/\xc3\xa4.img");
}

TEST(ExportSpec, AllowThatWasWrittenIsTold) {
  Diagnostics diagnostics;
  EXPECT_FALSE(parse_export_spec("7.1=/a", "-e", diagnostics)->allow_given);
  EXPECT_TRUE(parse_export_spec("7.1=/a,allow=any", "-e", diagnostics)->allow_given);
}

TEST(ExportSpec, SectorsMayBeSizes) {
  EXPECT_EQ(parse_good("7.1=/a,offset=3s").offset_sectors, 3U);
  EXPECT_EQ(parse_good("7.1=/a,offset=1K").offset_sectors, 2U);
  EXPECT_EQ(parse_good("7.1=/a,length=281474976710656").length_sectors, kLbaLimit);
}

struct BadSpec {
  const char* text;
  const char* message;  // behind "-e TEXT: "
};

constexpr const char* kMacsExpected = "expected any or MAC addresses such as 02:00:00:00:0a:10";

TEST(ExportSpec, BadValuesNameTextKeyAndExpectation) {
  const std::vector<BadSpec> table{
      {"", "expected SHELF.SLOT=STORE[,KEY=VALUE..]"},
      {"7.1", "expected SHELF.SLOT=STORE[,KEY=VALUE..]"},
      {"7.1=",
       "store: empty: expected a path, file:PATH, memory:SIZE, null:SIZE or "
       "rbd:POOL/IMAGE[@SNAP]"},
      {"=/a", "address: \"\": expected SHELF.SLOT, such as 7.1 or e7.1"},
      {"7=/a", "address: \"7\": expected SHELF.SLOT, such as 7.1 or e7.1"},
      {"7.=/a", "address: \"7.\": expected SHELF.SLOT, such as 7.1 or e7.1"},
      {"7.1.1=/a", "address: \"7.1.1\": expected SHELF.SLOT, such as 7.1 or e7.1"},
      {"-7.1=/a", "address: \"-7.1\": expected SHELF.SLOT, such as 7.1 or e7.1"},
      {"65535.1=/a",
       "address: \"65535.1\": shelf 65535 (0xffff) means every shelf in the protocol: expected "
       "shelf 0 to 65534 and slot 0 to 254"},
      {"7.255=/a",
       "address: \"7.255\": slot 255 (0xff) means every slot in the protocol: expected "
       "shelf 0 to 65534 and slot 0 to 254"},
      {"4095.1=/a",
       "address: \"4095.1\": shelf 4095 (0xfff) is what a shelf with unset switches says, and the "
       "Linux driver ignores it: expected another shelf"},
      {"65536.1=/a",
       "address: \"65536.1\" is out of range: expected shelf 0 to 65534 and slot 0 to 254"},
      {"7.99999999999999999999=/a",
       "address: \"7.99999999999999999999\" is out of range: expected shelf 0 to 65534 and slot 0 "
       "to 254"},
      {"7.1=/a,",
       "\"\": expected KEY=VALUE behind a comma (a comma inside of a path or value is "
       "written \\,)"},
      {"7.1=/a,b.img",
       "\"b.img\": expected KEY=VALUE behind a comma (a comma inside of a path or "
       "value is written \\,)"},
      {"7.1=/a,bufers=3", "unknown key \"bufers\" (did you mean \"buffers\"?)"},
      {"7.1=/a,address=7.2", "address: given twice"},
      {"7.1=/a,mode=read-only,mode=read-only", "mode: given twice"},
      {"7.1=/a,mode=writeback",
       "mode: \"writeback\": expected one of write-through, write-back, read-only"},
      {"7.1=/a,direct=yes", "direct: \"yes\": expected one of on, off, auto"},
      {"7.1=/a,buffers=1",
       "buffers: 1 is out of range: expected 2 to 65535 (the Linux driver never "
       "sends to a target with 1 buffer)"},
      {"7.1=/a,buffers=0", "buffers: 0 is out of range: expected 2 to 65535"},
      {"7.1=/a,buffers=65536", "buffers: 65536 is out of range: expected 2 to 65535"},
      {"7.1=/a,buffers=99999999999999999999",
       "buffers: \"99999999999999999999\" is out of range: expected 2 to 65535"},
      {"7.1=/a,buffers=many", "buffers: \"many\": expected a whole number from 2 to 65535"},
      {"7.1=/a,offset=-1",
       "offset: \"-1\": expected a number of sectors, or a size such as 20480s or 10G"},
      {"7.1=/a,offset=281474976710656",
       "offset: 281474976710656 is out of range: expected 0 to 281474976710655"},
      {"7.1=/a,offset=99999P", "offset: \"99999P\" is out of range: expected 0 to 281474976710655"},
      {"7.1=/a,length=0", "length: 0 is out of range: expected 1 to 281474976710656"},
      {"7.1=/a,cache=1KB",
       "cache: \"1KB\": expected a size such as 512, 64K, 10G or 20480s (K M G T "
       "P are powers of 1024, s is sectors of 512 bytes)"},
      {"7.1=/a,cache=17T", "cache: 18691697672192 is out of range: expected 0 to 17592186044416"},
      {"7.1=/a,allow=01:00:5e:00:00:01",
       "allow: \"01:00:5e:00:00:01\" is a group address: expected the address of one host"},
      {"7.1=/a,allow=00:00:00:00:00:00",
       "allow: \"00:00:00:00:00:00\" is the zero address: expected the address of one host"},
      {"7.1=/a,remote_admin=all",
       "remote_admin: \"all\": expected initiators, none or MAC addresses such as "
       "02:00:00:00:0a:10"},
      {"7.1=/a,model=",
       "model: \"\" has 0 characters: expected 1 to 40 printable ASCII characters"},
      {"7.1=/a,model=12345678901234567890123456789012345678901",
       "model: \"12345678901234567890123456789012345678901\" has 41 characters: expected 1 to 40 "
       "printable ASCII characters"},
      {"7.1=/a,serial=123456789012345678901",
       "serial: \"123456789012345678901\" has 21 characters: expected 1 to 20 printable ASCII "
       "characters"},
      {"7.1=/a,shadow=", "shadow: empty: expected the path of a shadow file"},
      {"7.1=/a,interfaces=eth1+",
       "interfaces: \"\": expected interface names of 1 to 15 characters without blanks, '/', ':' "
       "and ','"},
      {"7.1=/a,interfaces=eth1+eth1", "interfaces: \"eth1\" is named twice"},
      {"7.1=/a,weights=02:00:00:00:0a:10",
       "weights: \"02:00:00:00:0a:10\": expected MAC=WEIGHT with a weight from 1 to 1000"},
      {"7.1=/a,weights=02:00:00:00:0a:10=0",
       "weights: \"02:00:00:00:0a:10=0\": expected MAC=WEIGHT with a weight from 1 to 1000"},
      {"7.1=/a,weights=02:00:00:00:0a:10=2+02-00-00-00-0a-10=3",
       "weights: \"02-00-00-00-0a-10=3\": this address has a weight already"},
      {"7.1=/a,start_offline=yes", "start_offline: \"yes\": expected true or false"},
  };
  for (const BadSpec& bad : table) {
    const std::string where = std::string("-e ") + bad.text + ": ";
    EXPECT_THAT(errors_of(bad.text), ElementsAre(where + bad.message));
  }
}

TEST(ExportSpec, BadMacsAreRefused) {
  for (const char* mac : {"", "02:00:00:00:0a", "any+02:00:00:00:0a:10", "host1",
                          "02:00:00:00:0a:1g", "02:00:00:00:0a:10:11"}) {
    const std::string text = std::string("7.1=/a,allow=") + mac;
    ASSERT_EQ(errors_of(text).size(), 1U) << text;
    EXPECT_THAT(errors_of(text)[0], ::testing::HasSubstr("allow: \"")) << text;
    EXPECT_THAT(errors_of(text)[0], ::testing::EndsWith(kMacsExpected)) << text;
  }
}

TEST(ExportSpec, ControlCharactersAndBrokenUtf8AreRefusedAndShownEscaped) {
  EXPECT_THAT(
      errors_of("7.1=/a\nb"),
      ElementsAre("-e 7.1=/a\\x0ab: store: \"/a\\x0ab\": expected a path, file:PATH, "
                  "memory:SIZE, null:SIZE or rbd:POOL/IMAGE[@SNAP] in UTF-8 without control "
                  "characters"));
  for (const char* path :
       {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\xff"}) {
    EXPECT_EQ(errors_of(std::string("7.1=") + path).size(), 1U);
  }
  for (const char* path : {"\xc2\x80", "\xe2\x82\xac", "\xf0\x9f\x92\xbe", "\xed\x9f\xbf"}) {
    EXPECT_THAT(errors_of(std::string("7.1=") + path), IsEmpty());
  }
}

TEST(ExportSpec, PathsAreBounded) {
  EXPECT_EQ(parse_good("7.1=" + std::string(4095, 'x')).store.size(), 4095U);
  ASSERT_EQ(errors_of("7.1=" + std::string(4096, 'x')).size(), 1U);
  EXPECT_THAT(errors_of("7.1=" + std::string(4096, 'x'))[0],
              ::testing::HasSubstr("store: 4096 bytes long: expected"));
}

TEST(ExportSpec, AllErrorsOfOneTextAreReported) {
  EXPECT_EQ(errors_of("7.1=,mode=x,buffers=x,foo=1,bar").size(), 5U);
}

TEST(ExportSpec, MacListsDropRepetitionsAndAreBounded) {
  std::string macs = "02:00:00:00:00:00";
  for (int i = 1; i < 255; ++i) {
    std::array<char, 24> text{};
    (void)std::snprintf(text.data(), text.size(), "+02:00:00:00:00:%02x", static_cast<unsigned>(i));
    macs += text.data();
  }
  EXPECT_EQ(parse_good("7.1=/a,allow=" + macs + "+02:00:00:00:00:00").allow.macs.size(), 255U);
  const auto errors = errors_of("7.1=/a,allow=" + macs + "+02:00:00:00:01:00");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0], ::testing::EndsWith("allow: more than 255 different addresses"));
}

}  // namespace
}  // namespace aoe::targetd
