#include "storage/layer_file.h"

#include "support/layer_machine.h"
#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace aoe::storage {
namespace {

using testing::new_layer_header;
using testing::TempDir;

constexpr std::uint64_t kSectors = 1 << 20U;

TEST(LayerFile, IsMadeSparseAndLoadedAgain) {
  const TempDir dir;
  const std::string path = dir.path("layer");
  ASSERT_TRUE(make_layer(path, new_layer_header(kSectors)));

  struct stat status {};

  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), layer_layout(kSectors).file_bytes);
  EXPECT_LT(status.st_blocks * 512, 1 << 20);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const auto layer = load_layer(path);
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->header, new_layer_header(kSectors));
  EXPECT_EQ(layer->map.mapped_sectors(), 0U);
  ASSERT_TRUE(remove_layer(path));
  EXPECT_EQ(load_layer(path).error().code, Errc::not_found);
  EXPECT_TRUE(remove_layer(path));
}

TEST(LayerFile, TakesThePlaceOfALayerThatHasEndedAndOfNothingElse) {
  const TempDir dir;
  const std::string path = dir.path("layer");
  LayerHeader header = new_layer_header(kSectors);
  ASSERT_TRUE(make_layer(path, header));
  EXPECT_TRUE(make_layer(path, header));
  header.state = LayerState::active;
  ASSERT_TRUE(make_layer(path, header));
  const auto refused = make_layer(path, header);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::already_exists);
  EXPECT_NE(refused.error().message.find("holds writes"), std::string::npos);
  ASSERT_TRUE(remove_layer(path));
  std::ofstream(path) << "somebody's thesis";
  EXPECT_EQ(make_layer(path, header).error().code, Errc::already_exists);
  EXPECT_EQ(std::filesystem::file_size(path), 17U);
}

TEST(LayerFile, IsRefusedWhereItIsNoneOrWasCutOff) {
  const TempDir dir;
  std::ofstream(dir.path("short")) << "AOELAYER";
  EXPECT_EQ(load_layer(dir.path("short")).error().code, Errc::corrupt);
  const std::string path = dir.path("layer");
  ASSERT_TRUE(make_layer(path, new_layer_header(kSectors)));
  std::filesystem::resize_file(path, layer_layout(kSectors).file_bytes - 512);
  EXPECT_EQ(load_layer(path).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace aoe::storage
