#include "targetd/config_dump.h"

#include "support/diagnostics_text.h"
#include "targetd/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::targetd {
namespace {

using config::lines_of;

using ::testing::IsEmpty;

constexpr const char* kFull = R"(interfaces = ["eth1", "eth2"]
port = "xdp"
state_dir = "/state"
control = "/c"
log_level = "trace"
metrics = "[::1]:9750"
frame_life = "500ms"
shards = 3
busy_poll = "50us"
user = "u"
group = "g"

[[export]]
address = "7.1"
store = "/srv/a \"b\" \\ ä.img"
mode = "write-back"
buffers = 2
offset = 1
length = 7
geometry = "chs"
direct = "off"
cache = "64M"
allow = ["02:00:00:00:0a:10", "02:00:00:00:0a:11"]
shadow = "/s"
shadow_full = "refuse"
thaw_rate = "1M"
overlay = "/o"
overlay_max = 7
snapshots = "/n"
integrity = "/i"
scrub_rate = "2M"
iops = 100
bandwidth = "3M"
initiator_iops = 10
initiator_bandwidth = "1M"
weights = ["02:00:00:00:0a:10=4"]
duplicate_memory = false
late_write_guard = false
model = "M 1"
serial = "S1"
remote_admin = ["02:00:00:00:0a:10"]
interfaces = ["eth1"]
start_offline = true

[[export]]
address = "7.2"
store = "null:1T"
mode = "write-through"
buffers = 64
offset = 0
geometry = "native"
direct = "auto"
cache = "0"
allow = "any"
shadow_full = "thaw"
thaw_rate = "64M"
overlay_max = 256
scrub_rate = "64M"
iops = 0
bandwidth = "0"
initiator_iops = 0
initiator_bandwidth = "0"
duplicate_memory = true
late_write_guard = true
remote_admin = "none"
start_offline = false
)";

TEST(ConfigDump, ReadsBackAsItself) {
  const LoadedConfig loaded = parse_config_text(kFull, "t.toml");
  ASSERT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_EQ(dump(loaded.config), kFull);
}

TEST(ConfigDump, WritesDefaultsOut) {
  TargetConfig config;
  config.interfaces = {"eth1"};
  EXPECT_EQ(dump(config), R"(interfaces = ["eth1"]
port = "auto"
state_dir = "/var/lib/aoekit"
control = "/run/aoekit/target.sock"
log_level = "info"
frame_life = "1s"
shards = 1
busy_poll = "auto"
)");
}

}  // namespace
}  // namespace aoe::targetd
