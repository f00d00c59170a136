#include "compat/aoetools/module_info.h"

#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

TEST(ModuleInfo, FindsTheVersionOfTheKernelsModule) {
  EXPECT_EQ(installed_version("filename:       /lib/modules/6.1/aoe.ko\n"
                              "version:        85\n"
                              "srcversion:     0123456789\n"
                              "parm:           aoe_iflist:aoe_iflist=dev1[,dev2...] (string)\n"),
            "85");
}

TEST(ModuleInfo, TheVendorsParameterGoesFirst) {
  EXPECT_EQ(installed_version("version:        1\n"
                              "parm:           version:aoe module version 87moth\n"),
            "87moth");
}

TEST(ModuleInfo, NoModuleNoVersion) {
  EXPECT_EQ(installed_version(""), "");
  EXPECT_EQ(installed_version("srcversion:     0123\n"), "");
}

}  // namespace
}  // namespace aoe::compat::aoetools
