// asyncio_raise: from the call to the handler in the caller's own frame.
// SPDX-License-Identifier: MIT
//
// asyncio_find_handler() looks for it; what it gives is where the unwinder would have gone to, with
// the registers that the unwinder would have set: rax the exception's header, rdx the number of the
// handler, rsp and the callee-saved ones as the caller has them. Given none, the portable way goes
// on from here as if it had been called instead.
#if defined(__x86_64__) && defined(__linux__) && !defined(ASYNCIO_PORTABLE_UNWIND)
  .text
  .globl asyncio_raise
  .type asyncio_raise, @function
  .p2align 4
asyncio_raise:
  .cfi_startproc
#ifdef __CET__
  endbr64
#endif
  movq (%rsp), %rsi                  // where the call returns to
  leaq 8(%rsp), %rdx                 // the stack pointer of the frame that calls
  pushq %rdi
  .cfi_adjust_cfa_offset 8
  call asyncio_find_handler
  popq %rdi
  .cfi_adjust_cfa_offset -8
  testq %rax, %rax
  jz asyncio_raise_by_unwinding
  movq %rax, %rcx
  leaq -32(%rdi), %rax               // the header, _Unwind_Exception, lies before the object
  addq $8, %rsp
  .cfi_adjust_cfa_offset -8
  jmp *%rcx
  .cfi_endproc
  .size asyncio_raise, . - asyncio_raise
#endif
  .section .note.GNU-stack, "", @progbits
