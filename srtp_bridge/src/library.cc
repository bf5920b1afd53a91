#include <srtp2/srtp.h>

#include <sluice/srtp/library.h>

#if !SLUICE_LIBSRTP_BUNDLED
#include <dlfcn.h>

#include <memory>
#endif

namespace sluice::srtp {
namespace {

#if SLUICE_LIBSRTP_BUNDLED

constexpr bool kBundled = true;
void initialize_nss() {}

#else

constexpr bool kBundled = false;

// Looks NSS up among what is loaded already: if libsrtp is built on it, it is there, and a build on
// another cryptographic library needs no NSS to link with.
void initialize_nss() {
  const auto close = [](void* library) { dlclose(library); };
  const std::unique_ptr<void, decltype(close)> nss(dlopen("libnss3.so", RTLD_LAZY | RTLD_NOLOAD),
                                                   close);
  if (!nss) return;
  const auto is_initialized = reinterpret_cast<int (*)()>(dlsym(nss.get(), "NSS_IsInitialized"));
  const auto init = reinterpret_cast<int (*)(const char*)>(dlsym(nss.get(), "NSS_NoDB_Init"));
  // Its failure costs time, nothing else: libsrtp then initialises NSS for each context.
  if (is_initialized && init && is_initialized() == 0) init(nullptr);
}

#endif

tl::expected<void, SetupError> initialize_once(const LibraryOptions& options) {
  if (options.initialize_nss) initialize_nss();
  if (options.host_owns_libsrtp && !kBundled) return {};
  // libsrtp has no reference count. A second srtp_init(), also after one by a host that has not set
  // host_owns_libsrtp, runs the self-tests again and then returns bad_param.
  const auto status = srtp_init();
  if (status != srtp_err_status_ok && status != srtp_err_status_bad_param) {
    return tl::unexpected(SetupError::library_init_failed);
  }
  return {};
}

}  // namespace

tl::expected<void, SetupError> initialize(const LibraryOptions& options) {
  static const auto kResult = initialize_once(options);
  return kResult;
}

std::string_view library_flavor() { return kBundled ? "bundled" : "system"; }

std::string_view to_string(SetupError error) {
  switch (error) {
    case SetupError::library_init_failed:
      return "library_init_failed";
    case SetupError::invalid_options:
      return "invalid_options";
    case SetupError::invalid_keys:
      return "invalid_keys";
    case SetupError::unsupported_profile:
      return "unsupported_profile";
    case SetupError::out_of_memory:
      return "out_of_memory";
    case SetupError::foreign_state:
      return "foreign_state";
    case SetupError::state_too_large:
      return "state_too_large";
    case SetupError::unsupported_cryptex:
      return "unsupported_cryptex";
  }
  return "unknown";
}

}  // namespace sluice::srtp
