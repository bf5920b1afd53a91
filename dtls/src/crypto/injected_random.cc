#include "crypto/injected_random.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <map>
#include <mutex>

#include "crypto/failure.h"

namespace sluice::dtls::crypto {
namespace {

// A provider's init function has no argument for user data. It finds the RandomSource by the
// library context into which it is loaded.
class Sources {
 public:
  void add(const OSSL_LIB_CTX* context, RandomSource& source) {
    const std::lock_guard lock(mutex_);
    sources_[context] = &source;
  }
  void remove(const OSSL_LIB_CTX* context) {
    const std::lock_guard lock(mutex_);
    sources_.erase(context);
  }
  RandomSource* find(const OSSL_LIB_CTX* context) {
    const std::lock_guard lock(mutex_);
    const auto found = sources_.find(context);
    return found == sources_.end() ? nullptr : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<const OSSL_LIB_CTX*, RandomSource*> sources_;
};

Sources& sources() {
  static Sources instance;
  return instance;
}

using Function = void (*)();
template <class F>
Function as_function(F* function) {
  return reinterpret_cast<Function>(function);
}

// The functions of a RAND algorithm (provider-rand(7)). Its context is the RandomSource.
constexpr unsigned kStrength = 256;
constexpr std::size_t kMaxRequest = 1 << 16;

void* rand_new(void* provider, void* /*parent*/, const OSSL_DISPATCH* /*calls*/) {
  return provider;
}
void rand_free(void* /*source*/) {}
int rand_instantiate(void*, unsigned, int, const unsigned char*, std::size_t, const OSSL_PARAM*) {
  return 1;
}
int rand_uninstantiate(void*) { return 1; }
int rand_generate(void* source, unsigned char* out, std::size_t size, unsigned /*strength*/,
                  int /*prediction_resistance*/, const unsigned char*, std::size_t) {
  static_cast<RandomSource*>(source)->fill({reinterpret_cast<std::byte*>(out), size});
  return 1;
}
int rand_enable_locking(void*) { return 1; }
int rand_lock(void*) { return 1; }
void rand_unlock(void*) {}

int rand_get_params(void*, OSSL_PARAM params[]) {
  if (OSSL_PARAM* p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE)) {
    if (OSSL_PARAM_set_int(p, EVP_RAND_STATE_READY) == 0) return 0;
  }
  if (OSSL_PARAM* p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH)) {
    if (OSSL_PARAM_set_uint(p, kStrength) == 0) return 0;
  }
  if (OSSL_PARAM* p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST)) {
    if (OSSL_PARAM_set_size_t(p, kMaxRequest) == 0) return 0;
  }
  return 1;
}

const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* no_cache) {
  static const OSSL_DISPATCH kFunctions[] = {
      {OSSL_FUNC_RAND_NEWCTX, as_function(rand_new)},
      {OSSL_FUNC_RAND_FREECTX, as_function(rand_free)},
      {OSSL_FUNC_RAND_INSTANTIATE, as_function(rand_instantiate)},
      {OSSL_FUNC_RAND_UNINSTANTIATE, as_function(rand_uninstantiate)},
      {OSSL_FUNC_RAND_GENERATE, as_function(rand_generate)},
      {OSSL_FUNC_RAND_ENABLE_LOCKING, as_function(rand_enable_locking)},
      {OSSL_FUNC_RAND_LOCK, as_function(rand_lock)},
      {OSSL_FUNC_RAND_UNLOCK, as_function(rand_unlock)},
      {OSSL_FUNC_RAND_GET_CTX_PARAMS, as_function(rand_get_params)},
      {0, nullptr}};
  static const OSSL_ALGORITHM kAlgorithms[] = {
      {"SLUICE-INJECTED", "provider=sluice-injected", kFunctions, "the caller's RandomSource"},
      {nullptr, nullptr, nullptr, nullptr}};
  *no_cache = 0;
  return operation == OSSL_OP_RAND ? kAlgorithms : nullptr;
}

int provider_init(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* in,
                  const OSSL_DISPATCH** out, void** provider) {
  static const OSSL_DISPATCH kFunctions[] = {
      {OSSL_FUNC_PROVIDER_QUERY_OPERATION, as_function(query)}, {0, nullptr}};
  for (; in->function_id != 0; ++in) {
    if (in->function_id != OSSL_FUNC_CORE_GET_LIBCTX) continue;
    const auto* context =
        reinterpret_cast<const OSSL_LIB_CTX*>(OSSL_FUNC_core_get_libctx(in)(handle));
    *provider = sources().find(context);
    *out = kFunctions;
    return *provider != nullptr ? 1 : 0;
  }
  return 0;
}

}  // namespace

Result<InjectedRandom> InjectedRandom::make(RandomSource& source) {
  LibCtxPtr context(OSSL_LIB_CTX_new());
  if (!context) return failure("OSSL_LIB_CTX_new");
  InjectedRandom injected(std::move(context));
  OSSL_LIB_CTX* raw = injected.context_.get();
  sources().add(raw, source);
  if (OSSL_PROVIDER_add_builtin(raw, "sluice-injected", provider_init) != 1) {
    return failure("OSSL_PROVIDER_add_builtin");
  }
  injected.random_.reset(OSSL_PROVIDER_load(raw, "sluice-injected"));
  injected.algorithms_.reset(OSSL_PROVIDER_load(raw, "default"));
  if (!injected.random_ || !injected.algorithms_) return failure("OSSL_PROVIDER_load");
  if (RAND_set_DRBG_type(raw, "SLUICE-INJECTED", nullptr, nullptr, nullptr) != 1) {
    return failure("RAND_set_DRBG_type");
  }
  return injected;
}

InjectedRandom::~InjectedRandom() {
  if (context_) sources().remove(context_.get());
}

}  // namespace sluice::dtls::crypto
