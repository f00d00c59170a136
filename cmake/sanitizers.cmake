# Sanitizers and hardening, for every target of the tree.
if(AOE_SANITIZE)
  add_compile_options(-fsanitize=${AOE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AOE_SANITIZE})
  # The pure modules have no run-time types, which UBSan's check of virtual calls would need.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=vptr>)
  add_compile_definitions(AOE_SANITIZED=1)
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
  add_link_options(-Wl,-z,relro,-z,now)
  if(CMAKE_BUILD_TYPE MATCHES "Rel")
    add_compile_definitions(_FORTIFY_SOURCE=2)
  endif()
endif()
# Bounds checks of the standard library stay on in every build: a broken invariant stops the
# program instead of corrupting a disk.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

# What tests themselves are compiled with. Under the sanitizers the optimiser works longest on what runs
# shortest: a file of tests took two to three and a half times as long (clang 14, file_store_test.cpp and
# ata_executor_test.cpp). What is tested, the simulator included, is optimised as ever.
add_library(aoe_test_options INTERFACE)
if(AOE_SANITIZE)
  target_compile_options(aoe_test_options INTERFACE -O0)
endif()
